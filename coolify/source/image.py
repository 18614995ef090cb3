"""Whether the image that a configuration names exists, and which digest its tag has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import SecretStr

from coolify.config import Source
from coolify.finding import Finding, Severity
from coolify.source.registry import (
    ImageNotFoundError,
    ImageReference,
    RegistryError,
    RegistryLogin,
    parse_image,
    resolve_digest,
)

__all__ = ["ImageSeen", "check_image", "image_of", "login_for"]

_USER: Final = "REGISTRY_USER"
_PASSWORD: Final = "REGISTRY_PASSWORD"  # noqa: S105 - the name of a variable


@dataclass(frozen=True, slots=True)
class ImageSeen:
    """What the registry said."""

    finding: Finding
    digest: str | None = None
    """Digest of the tag; None when the registry did not tell it."""


def image_of(source: Source) -> ImageReference:
    """Return the image of a configuration that has one."""
    return parse_image(source.image or "", source.tag)


def login_for(source: Source, environ: Mapping[str, str]) -> RegistryLogin | None:
    """Return the account for the registry: `source.registry`, else REGISTRY_USER and REGISTRY_PASSWORD, else none.

    Raises:
        ConfigError: `source.registry` refers to a variable that is not set.
    """
    if source.registry is not None:
        user, password = source.registry.user.resolve(environ), source.registry.password.resolve(environ)
        return RegistryLogin(user, SecretStr(password))
    if environ.get(_USER) and environ.get(_PASSWORD):
        return RegistryLogin(environ[_USER], SecretStr(environ[_PASSWORD]))
    return None


async def check_image(source: Source, environ: Mapping[str, str]) -> ImageSeen:
    """Ask the registry for the tag.

    A registry that cannot be asked from here is a warning: the server that pulls the image may well reach it.

    Args:
        source: The section of the configuration; it has an image.
        environ: Where the account is looked up.
    """
    image = image_of(source)
    try:
        digest = await resolve_digest(image, login_for(source, environ))
    except ImageNotFoundError as error:
        return ImageSeen(_finding("source-image-missing", Severity.ERROR, image, str(error)))
    except RegistryError as error:
        return ImageSeen(_finding("source-image-unknown", Severity.WARNING, image, str(error)))
    return ImageSeen(
        Finding(
            name="source-image-found",
            severity=Severity.OK,
            subject=str(image),
            summary=f"{image} exists.",
            evidence=(digest,),
        ),
        digest,
    )


def _finding(name: str, severity: Severity, image: ImageReference, told: str) -> Finding:
    """Make a finding of an error: its sentence ends with a colon and what to do."""
    summary, colon, remedy = told.rpartition(": ")
    if not colon:
        summary, remedy = told, ""
    remedy = remedy[:1].upper() + remedy[1:]
    return Finding(name=name, severity=severity, subject=str(image), summary=f"{summary.rstrip('.')}.", remedy=remedy)
