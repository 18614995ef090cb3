"""Whether an application that is there can get its code as the configuration says: some of it is fixed at creation."""

from __future__ import annotations

from coolify.api import Application, CoolifyClient
from coolify.api.git_apps import GitApp
from coolify.api.models import PrivateKey
from coolify.config import Source
from coolify.finding import Finding, Severity

__all__ = ["check_origin", "judge_origin"]

_IMAGE_PACK = "dockerimage"
_IN_COOLIFY = "Choose it in Coolify under *Git Source* of the application: the API cannot."


async def check_origin(client: CoolifyClient, source: Source, application: Application) -> tuple[Finding, ...]:
    """Look up the key or the app that the configuration names, and judge by it.

    Raises:
        CoolifyError: Coolify has no such key or app, or cannot be read.
    """
    key = await client.private_keys.find(source.private_key) if source.private_key else None
    app = await client.git_apps.find(source.github_app) if source.github_app else None
    return judge_origin(source, application, key, app)


def judge_origin(
    source: Source, application: Application | None, key: PrivateKey | None, app: GitApp | None
) -> tuple[Finding, ...]:
    """Return what Coolify's API cannot change about an application (reference 2.2), nothing when all fits.

    Args:
        source: The section of the configuration.
        application: The application, None where there is none yet.
        key: The deploy key that the configuration names.
        app: The GitHub App that the configuration names.
    """
    if application is None:
        return ()
    is_image = application.build_pack == _IMAGE_PACK
    if is_image is not (source.image is not None):
        return (_kind_differs(application, is_image=is_image),)
    if key is not None:
        return _judge_key(application, key)
    return _judge_app(application, app) if app is not None else ()


def _kind_differs(application: Application, *, is_image: bool) -> Finding:
    has, wants = ("an image", "Git") if is_image else ("Git", "an image")
    return Finding(
        name="source-kind-differs",
        severity=Severity.ERROR,
        subject=application.name,
        summary=f"The application {application.name} is made from {has}, and the configuration wants it from {wants}.",
        remedy="Coolify cannot turn one into the other: set another application.name, or delete the old application.",
    )


def _judge_key(application: Application, key: PrivateKey) -> tuple[Finding, ...]:
    used = application.raw.get("private_key_id")
    # A token without read:sensitive does not see which key it is.
    if "private_key_id" not in application.raw or key.id is None or used == key.id:
        return ()
    if used is None:
        severity, told = Severity.ERROR, f"without a deploy key, and not with {key.name}: it cannot"
    else:
        severity, told = Severity.WARNING, f"with another deploy key than {key.name}"
    return (
        Finding(
            name="source-key-differs",
            severity=severity,
            subject=application.name,
            summary=f"The application {application.name} in Coolify reads its repository {told}.",
            remedy=_IN_COOLIFY,
        ),
    )


def _judge_app(application: Application, app: GitApp) -> tuple[Finding, ...]:
    if "source_id" not in application.raw or application.raw["source_id"] == app.id:
        return ()
    return (
        Finding(
            name="source-app-differs",
            severity=Severity.ERROR,
            subject=application.name,
            summary=f"The application {application.name} in Coolify does not read its repository through {app.name}.",
            remedy=_IN_COOLIFY,
        ),
    )
