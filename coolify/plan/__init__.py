"""Desired state beside actual state: what would have to change. Only `actual` talks to a server, and only reads."""

from coolify.plan.actual import Actual, read_actual
from coolify.plan.desired import (
    desired_compose_domains,
    desired_domains,
    desired_settings,
    desired_variables,
    desired_volumes,
    fingerprint,
)
from coolify.plan.difference import (
    Change,
    SettingsPlan,
    VariablesPlan,
    VolumesPlan,
    is_unmanaged,
    plan_settings,
    plan_variables,
    plan_volumes,
)
from coolify.plan.domains import ListedDomain, compose_domains, domain_urls, list_domains, stored_domains
from coolify.plan.https import https_edits, lost_middlewares, with_https
from coolify.plan.overview import Action, Kind, Plan, drift_findings, make_plan
from coolify.plan.rollout import judge_rollout
from coolify.plan.single_domain import plan_with_domains, plan_without_host

__all__ = [
    "Action",
    "Actual",
    "Change",
    "Kind",
    "ListedDomain",
    "Plan",
    "SettingsPlan",
    "VariablesPlan",
    "VolumesPlan",
    "compose_domains",
    "desired_compose_domains",
    "desired_domains",
    "desired_settings",
    "desired_variables",
    "desired_volumes",
    "domain_urls",
    "drift_findings",
    "fingerprint",
    "https_edits",
    "is_unmanaged",
    "judge_rollout",
    "list_domains",
    "lost_middlewares",
    "make_plan",
    "plan_settings",
    "plan_variables",
    "plan_volumes",
    "plan_with_domains",
    "plan_without_host",
    "read_actual",
    "stored_domains",
    "with_https",
]
