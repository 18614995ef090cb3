"""Several applications released as one: the set file, the order, the canary, and what became of each.

Pure data and decisions, and the reading of files; `flows.release_all` and `flows.rollback_all` act on them.
"""

from coolify.release_set.decision import SET_MEMBER_FAILED
from coolify.release_set.file import DEFAULT_SET, Canary, OnFailure, ReleaseSet, SetMember, Strategy, find_set, read_set
from coolify.release_set.members import Member, MembersError, load_members
from coolify.release_set.order import SetOrderError, Stage, needs_of, stages_of
from coolify.release_set.plan import SetPlan, make_plan
from coolify.release_set.report import MemberOutcome, MemberReport, SetOutcome, SetReport, judge_set, render_set
from coolify.release_set.way_back import WayBack, way_back

__all__ = [
    "DEFAULT_SET",
    "SET_MEMBER_FAILED",
    "Canary",
    "Member",
    "MemberOutcome",
    "MemberReport",
    "MembersError",
    "OnFailure",
    "ReleaseSet",
    "SetMember",
    "SetOrderError",
    "SetOutcome",
    "SetPlan",
    "SetReport",
    "Stage",
    "Strategy",
    "WayBack",
    "find_set",
    "judge_set",
    "load_members",
    "make_plan",
    "needs_of",
    "read_set",
    "render_set",
    "stages_of",
    "way_back",
]
