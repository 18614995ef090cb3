"""GitHub and GitLab apps, the sources of private repositories (reference 2.6)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

from coolify_sandbox.server.http import Call, present, refuse, route
from coolify_sandbox.server.state import Row, State
from coolify_sandbox.server.validation import Rule, boolean, integer, refuse_invalid, required, text, validate

__all__ = ["grant_repositories", "may_read", "seed_git_apps"]


def _url(name: str, value: Any) -> str | None:  # noqa: ANN401 - JSON
    parts = urlsplit(str(value))
    fine = value is None or (parts.scheme in {"http", "https"} and parts.hostname)
    return None if fine else f"The {name} field must be a valid URL."


@dataclass(frozen=True, slots=True)
class _Kind:
    """One of both kinds of apps."""

    row: str
    path: str
    title: str
    rules: dict[str, tuple[Rule, ...]]
    needed: tuple[str, ...]
    secrets: frozenset[str]
    source: str
    since: str


_COMMON: Final[dict[str, tuple[Rule, ...]]] = {
    "name": (text,),
    "api_url": (text, _url),
    "html_url": (text, _url),
    "custom_user": (text,),
    "custom_port": (integer,),
    "client_id": (text,),
    "client_secret": (text,),
    "is_system_wide": (boolean,),
}
_GITHUB: Final = _Kind(
    "github_app",
    "/github-apps",
    "GitHub app",
    _COMMON
    | {
        "organization": (text,),
        "app_id": (integer,),
        "installation_id": (integer,),
        "webhook_secret": (text,),
        "private_key_uuid": (text,),
    },
    (
        "name",
        "html_url",
        "app_id",
        "installation_id",
        "client_id",
        "client_secret",
        "webhook_secret",
        "private_key_uuid",
    ),
    frozenset({"client_secret", "webhook_secret"}),
    "App\\Models\\GithubApp",
    "4.0.0",
)
_GITLAB: Final = _Kind(
    "gitlab_app",
    "/gitlab-apps",
    "GitLab app",
    _COMMON | {"group_name": (text,), "webhook_token": (text,), "redirect_uri": (text, _url)},
    ("name", "html_url"),
    frozenset({"client_secret", "webhook_token", "access_token", "refresh_token"}),
    "App\\Models\\GitlabApp",
    "4.3.0",
)


def seed_git_apps(state: State) -> None:
    """Store the two public sources that every installation has."""
    for kind, name, api in (
        (_GITHUB, "GitHub", "https://api.github.com"),
        (_GITLAB, "GitLab", "https://gitlab.com/api/v4"),
    ):
        fields = {
            "name": f"Public {name}",
            "api_url": api,
            "html_url": f"https://{name.lower()}.com",
            "is_public": True,
            "team_id": 0,
        }
        state.insert(kind.row, _empty(kind) | fields, uuid=f"{kind.row.replace('_', '-')}-public", row_id=0)


def grant_repositories(state: State, uuid: str, repositories: dict[str, list[str]]) -> None:
    """Let an app read repositories, as somebody does on GitHub.

    Args:
        state: The embedded Coolify.
        uuid: Of the app.
        repositories: `owner/name` -> branches that GitHub would tell.
    """
    app = state.by_uuid("github_app", uuid)
    if app is not None:
        state.update(app, granted=repositories)


def may_read(app: Row, repository: str) -> bool:
    """Return whether an app may read a repository; nobody knows where GitHub has not been told."""
    granted = app.get("granted")
    return granted is None or repository in granted


def _empty(kind: _Kind) -> dict[str, Any]:
    fields: dict[str, Any] = dict.fromkeys(kind.rules)
    fields.pop("private_key_uuid", None)
    fields |= {"private_key_id": None} if kind is _GITHUB else {"access_token": None, "refresh_token": None}
    return fields | {"custom_user": "git", "custom_port": 22, "is_system_wide": False, "is_public": False}


def _list(call: Call, kind: _Kind) -> tuple[int, Any]:
    rows = [row for row in call.state.all(kind.row) if row["team_id"] == call.team_id or row["is_system_wide"]]
    return 200, [_show(row, call, kind) for row in rows]


def _create(call: Call, kind: _Kind) -> tuple[int, Any]:
    needed = {name: (required, *kind.rules[name]) for name in kind.needed}
    refuse_invalid(validate(call.body, kind.rules | needed))
    fields = _checked(call, kind)
    if not fields.get("api_url"):
        html = str(fields["html_url"]).rstrip("/")
        on_github = "https://api.github.com" if html == "https://github.com" else f"{html}/api/v3"
        fields["api_url"] = on_github if kind is _GITHUB else f"{html}/api/v4"
    fields = {name: value for name, value in fields.items() if value is not None}
    row = call.state.insert(kind.row, _empty(kind) | fields | {"team_id": call.team_id}, uuid=str(uuid4()))
    return 201, _show(row, call, kind)


def _update(call: Call, kind: _Kind) -> tuple[int, Any]:
    row = _find(call, kind)
    # Unknown fields are let through here.
    known = {name: value for name, value in call.body.items() if name in kind.rules}
    refuse_invalid(validate(known, kind.rules))
    row = call.state.update(row, **_checked(call, kind))
    return 200, {"message": f"{kind.title} updated successfully", "data": _show(row, call, kind)}


def _delete(call: Call, kind: _Kind) -> tuple[int, Any]:
    row = _find(call, kind)
    used = len(call.state.all("application", source_id=row.id, source_type=kind.source))
    if used:
        refuse(
            409,
            f"This {kind.title} is being used by {used} application(s). Please delete all applications first.",
        )
    call.state.delete(row)
    return 200, {"message": f"{kind.title} deleted successfully"}


def _checked(call: Call, kind: _Kind) -> dict[str, Any]:
    fields = {name: value for name, value in call.body.items() if name in kind.rules}
    uuid = fields.pop("private_key_uuid", None)
    if uuid is not None:
        key = call.state.by_uuid("key", str(uuid))
        if key is None or key["team_id"] != call.team_id:
            refuse(404, "Private key not found or does not belong to your team.")
        fields["private_key_id"] = key.id
    return fields


def _find(call: Call, kind: _Kind) -> Row:
    number = call.path["id"]
    row = call.state.by_id(kind.row, int(number)) if re.fullmatch(r"\d+", number) else None
    if row is None or row["team_id"] != call.team_id:
        refuse(404, f"{kind.title} not found")
    return row


def _show(row: Row, call: Call, kind: _Kind) -> dict[str, Any]:
    hidden = frozenset() if call.sees_secrets else kind.secrets
    return present(row, call, drop=hidden | {"granted"}, id=row.id, uuid=row.uuid, team_id=row["team_id"])


@route("GET", "/github-apps/{id}/repositories", "read")
async def repositories(call: Call) -> tuple[int, Any]:
    return 200, {"repositories": [_repository(name) for name in sorted(_granted(call))]}


@route("GET", "/github-apps/{id}/repositories/{owner}/{repository}/branches", "read")
async def branches(call: Call) -> tuple[int, Any]:
    name = f"{call.path['owner']}/{call.path['repository']}"
    granted = _granted(call)
    if name not in granted:
        refuse(404, "Not Found")
    return 200, {"branches": [{"name": branch, "protected": False} for branch in granted[name]]}


def _granted(call: Call) -> dict[str, list[str]]:
    granted: dict[str, list[str]] | None = _find(call, _GITHUB).get("granted")
    if granted is None:
        # GitHub itself is not part of the sandbox.
        refuse(400, "Failed to get installation token: GitHub cannot be reached from here.")
    return granted


def _repository(full_name: str) -> dict[str, Any]:
    return {"name": full_name.rpartition("/")[2], "full_name": full_name, "private": True, "default_branch": "main"}


def _register() -> None:
    for kind in (_GITHUB, _GITLAB):

        async def listed(call: Call, kind: _Kind = kind) -> tuple[int, Any]:
            return _list(call, kind)

        async def created(call: Call, kind: _Kind = kind) -> tuple[int, Any]:
            return _create(call, kind)

        async def updated(call: Call, kind: _Kind = kind) -> tuple[int, Any]:
            return _update(call, kind)

        async def deleted(call: Call, kind: _Kind = kind) -> tuple[int, Any]:
            return _delete(call, kind)

        route("GET", kind.path, "read", since=kind.since)(listed)
        route("POST", kind.path, "write", body=True, since=kind.since)(created)
        route("PATCH", kind.path + "/{id}", "write", since=kind.since)(updated)
        route("DELETE", kind.path + "/{id}", "write", since=kind.since)(deleted)


_register()
