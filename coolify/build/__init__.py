"""Why a build failed, read from its log by rules that are kept as data; nothing here reaches out."""

from coolify.build.diagnosis import Diagnosis, diagnose
from coolify.build.rules import RULES, Again, Rule

__all__ = ["RULES", "Again", "Diagnosis", "Rule", "diagnose"]
