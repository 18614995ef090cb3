"""Labels of ours are one resource of the plan."""

from typing import Any

import pytest

from coolify.api import Application
from coolify.api.models import Project
from coolify.config import Config
from coolify.plan import Actual, Kind, drift_findings, make_plan
from coolify.security import LabelsHiddenError, WantedSecurity, plan_labels, resolve_security

UUID = "ajmrann7kwrp6lae799gl0nc"
GENERATED = f"""traefik.enable=true
traefik.http.middlewares.gzip.compress=true
traefik.http.routers.https-0-{UUID}.entryPoints=https
traefik.http.routers.https-0-{UUID}.middlewares=gzip
traefik.http.routers.https-0-{UUID}.rule=Host(`shop.example.com`) && PathPrefix(`/`)"""
BASE = {"server": "https://coolify.example.com", "project": {"name": "shop"}}
PROTECTED = BASE | {"domains": [{"primary": "shop.example.com"}], "security": {"headers": {"nosniff": True}}}


def actual(labels: str | None = GENERATED, **fields: Any) -> Actual:
    raw = {"uuid": UUID, "name": "shop", "fqdn": "https://shop.example.com"} | fields
    if labels is not None:
        raw["custom_labels"] = labels
    project = Project.model_validate({"uuid": "p", "name": "shop"})
    return Actual(project, ("production",), Application.model_validate(raw | {"raw": raw}))


def planned(document: dict[str, Any], found: Actual) -> list[tuple[Kind, str, str]]:
    config = Config.model_validate(document)
    plan = make_plan(config, (), found, resolve_security(config, {}))
    return [(one.kind, one.before, one.after) for one in plan.actions if one.resource == "security"]


def secured() -> str:
    application = actual().application
    assert application is not None
    labels = plan_labels(application, WantedSecurity(Config.model_validate(PROTECTED).security)).labels
    assert labels is not None
    return labels


def test_nothing_is_planned_where_nothing_is_configured() -> None:
    assert planned(BASE, actual()) == []
    assert planned(BASE, Actual()) == []


def test_labels_are_created_with_the_application() -> None:
    assert planned(PROTECTED, Actual()) == [(Kind.CREATE, "", "headers")]


def test_labels_that_are_missing_are_added_and_then_unchanged() -> None:
    assert planned(PROTECTED, actual()) == [(Kind.UPDATE, "nothing", "headers")]
    assert planned(PROTECTED, actual(secured())) == [(Kind.UNCHANGED, "", "")]


def test_labels_are_taken_away_with_the_section() -> None:
    assert planned(BASE, actual(secured())) == [(Kind.UPDATE, "headers", "nothing")]


def test_a_change_of_domains_plans_the_labels_too() -> None:
    moved = PROTECTED | {"domains": [{"primary": "www.example.com"}]}
    assert planned(moved, actual(secured())) == [(Kind.UPDATE, "headers", "headers")]


def test_labels_that_somebody_removed_are_drift() -> None:
    config = Config.model_validate(PROTECTED)
    findings = drift_findings(make_plan(config, (), actual(), resolve_security(config, {})))
    (labels,) = [one for one in findings if one.subject == "security labels"]
    assert labels.name == "drift-found"


def test_hidden_labels_end_the_plan_with_the_ability_that_is_missing() -> None:
    with pytest.raises(LabelsHiddenError, match="read:sensitive"):
        planned(PROTECTED, actual(None))
    assert planned(BASE, actual(None)) == []
