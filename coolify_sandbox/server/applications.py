"""`/applications`: create, read, change, delete, act (reference 2, 4)."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from coolify_sandbox.server.application_rules import (
    BUILD_PACKS,
    CREATE_ONLY,
    SETTINGS_FIELDS,
    SINCE,
    UPDATE_RULES,
    compose_errors,
    hand_written_errors,
    stored_compose_domains,
    stored_image,
    variant_rules,
)
from coolify_sandbox.server.domains import default_domain, normalised, refuse_conflicts
from coolify_sandbox.server.fields import APPLICATION, APPLICATION_SETTINGS, SENSITIVE
from coolify_sandbox.server.git_apps import may_read
from coolify_sandbox.server.http import Call, Refusal, not_found, present, refuse, route, truthy
from coolify_sandbox.server.labels import generated_labels
from coolify_sandbox.server.projects import environment_of, find_environment, project_of
from coolify_sandbox.server.servers import server_settings
from coolify_sandbox.server.state import Row, new_uuid
from coolify_sandbox.server.tags import ensure_tag
from coolify_sandbox.server.validation import Rule, boolean, one_of, refuse_invalid, text, validate
from coolify_sandbox.server.versions import at_least_version

__all__ = ["embedded_application", "placement_details", "placement_of", "show_application", "with_ids"]

_SHORTEST_TAG: Final = 2
_STORED_SETTINGS: Final = frozenset(APPLICATION_SETTINGS)
_ACTIONS: Final = frozenset({"instant_deploy", "force_domain_override", "docker_compose_domains"})
_ONE_LINE: Final = ("pre_deployment_command", "post_deployment_command")
_NOT_COMPOSE: Final = "The docker_compose_domains field is only for applications of the build pack dockercompose."
_COMPOSE: Final = "The domains field is not for the build pack dockercompose. Use docker_compose_domains instead."
_REGENERATING: Final = ("domains", "noindex_domains", "is_gzip_enabled", "is_stripprefix_enabled")
_VARIANTS: Final = ("public", "private-deploy-key", "private-github-app", "dockerfile", "dockerimage")


def _rules(call: Call) -> dict[str, tuple[Rule, ...]]:
    """Return the rules of the fields that the server's version knows."""
    version = call.state.settings.version
    known = {name: rules for name, rules in UPDATE_RULES.items() if at_least_version(version, SINCE.get(name, "4.0.0"))}
    if not at_least_version(version, "4.1.0"):
        known["build_pack"] = (one_of(*(pack for pack in BUILD_PACKS if pack != "railpack")),)
    return known


@route("GET", "/applications", "read")
async def list_applications(call: Call) -> tuple[int, Any]:
    rows = call.state.all("application", team_id=call.team_id)
    tag = call.request.query_params.get("tag")
    return 200, [show_application(row, call, brief=True) for row in rows if tag is None or tag in row.get("tags", [])]


@route("GET", "/applications/{uuid}", "read")
async def get_application(call: Call) -> tuple[int, Any]:
    return 200, show_application(call.find("application", call.path["uuid"], "Application"), call)


@route("POST", "/applications/{variant}", "write", body=True)
async def create_application(call: Call) -> tuple[int, Any]:
    variant = call.path["variant"]
    if variant not in _VARIANTS:
        raise Refusal(404, {"message": "Not found.", "docs": "https://coolify.io/docs"})
    body = call.body
    common = {name: rules for name, rules in _rules(call).items() if name != "dockerfile_target_build"}
    placement = dict.fromkeys(("project_uuid", "server_uuid", "environment_name", "environment_uuid"), (text,))
    errors = validate(body, {**common, **placement, "autogenerate_domain": (boolean,)}, CREATE_ONLY)
    refuse_invalid(errors)
    environment, server, destination = placement_of(call)
    _validate_variant(call, variant)
    domains = _domains_of_new(call)
    uuid = new_uuid()
    row = _insert(call, variant, uuid, environment, server, destination, domains)
    if variant in {"public", "private-deploy-key", "private-github-app"} and row["build_pack"] == "nixpacks":
        from coolify_sandbox.server.variables import add_variable

        add_variable(call.state, row, {"key": "NIXPACKS_NODE_VERSION", "value": "22", "is_runtime": False}, twin=True)
    if truthy(body.get("instant_deploy")):
        from coolify_sandbox.server.queue import enqueue

        enqueue(call.state, row, unconditional=True)
    return 201, {"uuid": uuid, "domains": row["fqdn"]}


def placement_of(call: Call) -> tuple[Row, Row, Row]:
    """Find environment, server and network in the order in which Coolify complains."""
    body = call.body
    if not body.get("environment_name") and not body.get("environment_uuid"):
        refuse(422, "You need to provide at least one of environment_name or environment_uuid.")
    project = call.find("project", str(body.get("project_uuid")), "Project")
    wanted = str(body.get("environment_name") or body.get("environment_uuid"))
    environment = find_environment(call, project, wanted)
    server = call.find("server", str(body.get("server_uuid")), "Server")
    destinations = call.state.all("destination", server_id=server.id)
    if len(destinations) > 1:
        chosen = [one for one in destinations if one.uuid == body.get("destination_uuid")]
        if not body.get("destination_uuid"):
            refuse(400, "Server has multiple destinations and you do not set destination_uuid.")
        if not chosen:
            refuse(400, "Provided destination_uuid does not belong to the specified server.")
        return environment, server, chosen[0]
    # With exactly one network a wrong destination_uuid is ignored.
    return environment, server, destinations[0]


def _validate_variant(call: Call, variant: str) -> None:
    body = call.body
    if body.get("build_pack") == "dockercompose" and body.get("domains"):
        refuse_invalid({"domains": [_COMPOSE]})
    short = [name for name in body.get("tags") or [] if len(str(name).strip()) < _SHORTEST_TAG]
    refuse_invalid({"tags": ["Each tag name must be at least 2 characters after sanitization."]} if short else {})
    errors = validate({name: body[name] for name in variant_rules(variant) if name in body}, variant_rules(variant))
    field = {"dockerfile": "dockerfile", "dockerimage": "docker_registry_image_name"}.get(variant)
    if field and body.get(field) is None:
        errors[field] = ["This field is required."]
    refuse_invalid(errors)
    refuse_invalid(hand_written_errors(body))
    if variant == "private-deploy-key":
        call.find("key", body["private_key_uuid"], "Private Key")
    if variant == "private-github-app":
        app = call.find("github_app", body["github_app_uuid"], "Github App")
        if not may_read(app, _shortened(str(body["git_repository"]))):
            refuse(404, "Repository not found or not accessible by the GitHub App.")
    refuse_invalid(compose_errors(body))


def _domains_of_new(call: Call) -> str | None:
    domains, problems = normalised(call.body.get("domains"))
    refuse_invalid({"domains": problems} if problems else {})
    if not truthy(call.body.get("force_domain_override")):
        refuse_conflicts(call, domains, None)
    return domains


def _insert(
    call: Call, variant: str, uuid: str, environment: Row, server: Row, destination: Row, domains: str | None
) -> Row:
    body = call.body
    if domains is None and truthy(body.get("autogenerate_domain", True)):
        domains = default_domain(server, uuid)
    own = {name: value for name, value in body.items() if name not in CREATE_ONLY | _ACTIONS | {"domains"}}
    own |= {name: _coerced(name, own[name]) for name in _ONE_LINE if name in own}
    own |= _from_variant(call, variant, own) | stored_compose_domains(body)
    settings = APPLICATION_SETTINGS | {name: own.pop(name) for name in list(own) if name in _STORED_SETTINGS}
    if "use_build_server" in own:
        settings["is_build_server_enabled"] = own.pop("use_build_server")
    attributes = (
        APPLICATION
        | {f"manual_webhook_secret_{host}": _secret() for host in ("github", "gitlab", "bitbucket", "gitea")}
        | {"ports_exposes": "3000" if own.get("build_pack") in {"nixpacks", "railpack"} else "80"}
        | {name: value for name, value in own.items() if value is not None}
        | {
            "description": body.get("description"),
            "fqdn": domains,
            "environment_id": environment.id,
            "destination_id": destination.id,
            "server_id": server.id,
            "team_id": call.team_id,
            "settings": settings,
            "tags": [ensure_tag(call.state, call.team_id, name)["name"] for name in body.get("tags") or []],
        }
    )
    # Read-only labels are on by default: what the request says about labels is overwritten (reference 3.5).
    attributes["custom_labels"] = generated_labels(uuid, attributes, settings)
    return call.state.insert("application", attributes, uuid=uuid)


def _secret() -> str:
    return secrets.token_urlsafe(40)[:40].replace("-", "a").replace("_", "b")


def _from_variant(call: Call, variant: str, own: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the variant itself decides about the new application."""
    match variant:
        case "dockerfile":
            return {
                "dockerfile": base64.b64decode(call.body["dockerfile"]).decode(),
                "build_pack": "dockerfile",
                # The port is sniffed in the still encoded text, which never has one.
                "ports_exposes": "80",
                "git_repository": "coollabsio/coolify",
                "git_branch": "main",
                "name": own.get("name") or f"dockerfile-{new_uuid()}",
            }
        case "dockerimage":
            name, tag = stored_image(str(own["docker_registry_image_name"]), own.get("docker_registry_image_tag"))
            return {
                "docker_registry_image_name": name,
                "docker_registry_image_tag": tag,
                "build_pack": "dockerimage",
                "git_repository": "coollabsio/coolify",
                "git_branch": "main",
                "name": own.get("name") or f"docker-image-{new_uuid()}",
            }
        case _:
            repository = str(own["git_repository"])
            key = call.state.by_uuid("key", str(call.body.get("private_key_uuid")))
            app = call.state.by_uuid("github_app", str(call.body.get("github_app_uuid")))
            source = {"source_id": app.id, "source_type": "App\\Models\\GithubApp"} if app else {}
            return source | {
                "git_repository": repository if variant == "private-deploy-key" else _shortened(repository),
                "git_commit_sha": own.get("git_commit_sha") or "HEAD",
                "private_key_id": key.id if key else None,
                "name": own.get("name") or f"{repository.rpartition('/')[2]}:{own['git_branch']}-{new_uuid()}",
            }


def _shortened(repository: str) -> str:
    """Coolify keeps only `owner/name` of repositories on github.com."""
    parts = urlsplit(repository)
    return parts.path.strip("/").removesuffix(".git") if parts.hostname == "github.com" else repository


@route("PATCH", "/applications/{uuid}", "write", body=True)
async def update_application(call: Call) -> tuple[int, Any]:
    row = call.find("application", call.path["uuid"], "Application", period=False)
    body = dict(call.body)
    errors = validate(body, _rules(call))
    if set(errors) == {"domains"} and errors["domains"] != ["This field is not allowed."]:
        refuse_invalid(errors["domains"])
    refuse_invalid(errors)
    refuse_invalid(hand_written_errors({name: value for name, value in body.items() if name != "dockerfile"}))
    deploy = truthy(body.pop("instant_deploy", False))
    force = truthy(body.pop("force_domain_override", False))
    if body.get("docker_compose_domains") and row["build_pack"] != "dockercompose":
        refuse_invalid({"docker_compose_domains": _NOT_COMPOSE})
    refuse_invalid(compose_errors(body))
    _refuse_half_a_login(row, body)
    changes: dict[str, Any] = stored_compose_domains(body)
    body.pop("docker_compose_domains", None)
    if "domains" in body:
        domains, problems = normalised(body.pop("domains"))
        refuse_invalid(problems)
        if not force:
            refuse_conflicts(call, domains, row.uuid)
        server = call.state.by_id("server", row["server_id"])
        if server is not None and server["proxy"]["type"] != "NONE":
            # Without a proxy they are dropped without a word (trap 26).
            changes["fqdn"] = domains
    settings = dict(row["settings"])
    settings |= {name: body.pop(name) for name in list(body) if name in _STORED_SETTINGS | SETTINGS_FIELDS}
    if "use_build_server" in body:
        settings["is_build_server_enabled"] = body.pop("use_build_server")
    changes |= {name: _coerced(name, value) for name, value in body.items()} | {"settings": settings}
    if any(name in call.body for name in _REGENERATING) or any("basic_auth" in name for name in call.body):
        changes["custom_labels"] = generated_labels(str(row.uuid), row.data | changes, settings)
    elif "custom_labels" in call.body:
        changes["custom_labels"] = base64.b64decode(call.body["custom_labels"]).decode()
    row = call.state.update(row, **changes)
    if deploy:
        from coolify_sandbox.server.queue import enqueue

        enqueue(call.state, row)
    return 200, {"uuid": row.uuid}


def _refuse_half_a_login(row: Row, body: Mapping[str, Any]) -> None:
    """Basic authentication is switched on with a name and a password only."""
    if body.get("is_http_basic_auth_enabled"):
        names = ("http_basic_auth_username", "http_basic_auth_password")
        refuse_invalid({name: f"The {name} is required." for name in names if not body.get(name, row[name])})


def _coerced(name: str, value: Any) -> Any:  # noqa: ANN401 - JSON
    """Numbers sent as text are stored as numbers, the health check's port as text."""
    if value is None or name == "health_check_port":
        return None if value is None else str(value)
    if name in _ONE_LINE:
        return str(value).replace("\n", " ")
    if isinstance(value, str) and value.isdigit() and isinstance(APPLICATION.get(name), int):
        return int(value)
    return value


@route("DELETE", "/applications/{uuid}", "write")
async def delete_application(call: Call) -> tuple[int, Any]:
    row = call.find("application", call.path["uuid"], "Application", period=False)
    call.state.update(row, deletion_requested=True)
    await call.request.app.state.queue.delete_application(row)
    return 200, {"message": "Application deletion request queued."}


def show_application(row: Row, call: Call, *, brief: bool = False) -> dict[str, Any]:
    """Serialise an application; in lists it lacks what is loaded for one alone."""
    drop = frozenset({"server_id", "tags", "deletion_requested"})
    if brief or not at_least_version(call.state.settings.version, "4.2.0"):
        drop |= {"settings"}
    counts: dict[str, Any] = {
        "additional_networks_count": 0,
        "additional_servers": [],
        "additional_servers_count": 0,
    }
    return present(row, call, drop=drop, uuid=row.uuid, **counts, **placement_details(row, call, brief=brief))


def placement_details(row: Row, call: Call, *, brief: bool) -> dict[str, Any]:
    """Return where an application or a database lives: its network with the server, alone also its environment."""
    server = call.state.by_id("server", row["server_id"])
    destination = call.state.by_id("destination", row["destination_id"])
    if server is None or destination is None:
        not_found("Server")
    details: dict[str, Any] = {
        "destination": with_ids(destination, hidden=frozenset({"team_id"})) | {"server": _server(server, call)},
        "server_status": server["settings"]["is_reachable"] and server["settings"]["is_usable"],
    }
    if not brief:
        environment = environment_of(call, row)
        project = with_ids(project_of(call, environment)) | {"team": _team(call)}
        details["environment"] = with_ids(environment) | {"project": project}
    return details


def embedded_application(row: Row, call: Call, *, environment: bool = False) -> dict[str, Any]:
    """Serialise an application inside of something else: secrets never, numbers always."""
    shown = show_application(row, call, brief=True)
    secret = SENSITIVE["application"] - {"private_key_id"}
    more: dict[str, Any] = {"id": row.id, "private_key_id": row["private_key_id"]}
    if environment:
        found = environment_of(call, row)
        project = with_ids(project_of(call, found)) | {"team": _team(call)}
        more["environment"] = with_ids(found) | {"project": project}
    found_server = shown["destination"]["server"]
    settings = {
        name: value for name, value in found_server["settings"].items() if name not in SENSITIVE["server_settings"]
    }
    more["destination"] = shown["destination"] | {"server": found_server | {"settings": settings}}
    return {name: value for name, value in shown.items() if name not in secret} | more


def with_ids(row: Row, hidden: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Serialise a row inside of something else: with its number, nothing hidden but what is named."""
    return {"id": row.id, "uuid": row.uuid} | {name: one for name, one in row.data.items() if name not in hidden}


def _server(server: Row, call: Call) -> dict[str, Any]:
    return with_ids(server) | {"settings": server_settings(server, sees_secrets=call.sees_secrets)}


def _team(call: Call) -> dict[str, Any]:
    team = call.state.by_id("team", call.team_id)
    return {"id": team.id, **team.data} if team else {}
