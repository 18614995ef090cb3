"""Desired state beside actual state: what would have to change. Pure; nothing in here talks to a server."""

from coolify.plan.desired import desired_domains, desired_settings, desired_variables, fingerprint
from coolify.plan.difference import Change, SettingsPlan, VariablesPlan, plan_settings, plan_variables

__all__ = [
    "Change",
    "SettingsPlan",
    "VariablesPlan",
    "desired_domains",
    "desired_settings",
    "desired_variables",
    "fingerprint",
    "plan_settings",
    "plan_variables",
]
