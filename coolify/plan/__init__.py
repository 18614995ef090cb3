"""Desired state beside actual state: what would have to change. Only `actual` talks to a server, and only reads."""

from coolify.plan.actual import Actual, find_application, read_actual
from coolify.plan.desired import desired_domains, desired_settings, desired_variables, fingerprint
from coolify.plan.difference import Change, SettingsPlan, VariablesPlan, is_unmanaged, plan_settings, plan_variables
from coolify.plan.overview import Action, Kind, Plan, drift_findings, make_plan

__all__ = [
    "Action",
    "Actual",
    "Change",
    "Kind",
    "Plan",
    "SettingsPlan",
    "VariablesPlan",
    "desired_domains",
    "desired_settings",
    "desired_variables",
    "drift_findings",
    "find_application",
    "fingerprint",
    "is_unmanaged",
    "make_plan",
    "plan_settings",
    "plan_variables",
    "read_actual",
]
