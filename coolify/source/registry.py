"""Ask an image registry whether a tag exists (OCI Distribution Specification 1.1; Docker Registry v2 token flow)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Generator
from dataclasses import dataclass
from typing import Final

import httpx
from pydantic import BaseModel, SecretStr, ValidationError

from coolify.errors import OperatorError

__all__ = ["ImageNotFoundError", "ImageReference", "RegistryError", "RegistryLogin", "parse_image", "resolve_digest"]

_DOCKER_HUB: Final = "docker.io"
_HUB_HOST: Final = "registry-1.docker.io"
_MANIFESTS: Final = (
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json"
)
_CHALLENGE: Final = re.compile(r'(\w+)="([^"]*)"')


class RegistryError(OperatorError):
    """The registry cannot be asked."""


class ImageNotFoundError(RegistryError):
    """There is no such image or tag, or the account may not read it."""


@dataclass(frozen=True, slots=True)
class ImageReference:
    """An image as registries name it."""

    registry: str
    repository: str
    tag: str
    """Tag, or a digest as in `sha256:…`."""

    def __str__(self) -> str:
        mark = "@" if ":" in self.tag else ":"
        return f"{self.registry}/{self.repository}{mark}{self.tag}"


@dataclass(frozen=True, slots=True)
class RegistryLogin:
    """User and password (or access token) for a registry."""

    user: str
    password: SecretStr


class _Granted(BaseModel):
    """What a token service answers; both names are in use."""

    token: str | None = None
    access_token: str | None = None


def parse_image(image: str, tag: str = "latest") -> ImageReference:
    """Split an image's name as Docker does: `nginx` is `docker.io/library/nginx`.

    Args:
        image: Name, with or without registry and tag.
        tag: Tag where the name has none.
    """
    image, pinned, digest = image.partition("@")
    first, slash, rest = image.partition("/")
    is_registry = bool(slash) and ("." in first or ":" in first or first == "localhost")
    registry, repository = (first, rest) if is_registry else (_DOCKER_HUB, image)
    name, colon, own_tag = repository.rpartition(":")
    if colon and "/" not in own_tag:
        repository, tag = name, own_tag
    if pinned:
        tag = digest
    if registry == _DOCKER_HUB and "/" not in repository:
        repository = f"library/{repository}"
    return ImageReference(registry, repository, tag)


async def resolve_digest(
    image: ImageReference,
    login: RegistryLogin | None = None,
    *,
    timeout_seconds: float = 30,
    transport: httpx.AsyncBaseTransport | None = None,
) -> str:
    """Return the digest that a tag points at, without pulling the image.

    Args:
        image: What to look for.
        login: Account for a private image.
        timeout_seconds: Limit of each request.
        transport: Replacement for the network, for tests.

    Raises:
        ImageNotFoundError: There is no such image or tag, or the account may not read it.
        RegistryError: The registry cannot be reached, answers oddly, or wants an account to tell.
    """
    path = f"{_base_url(image.registry)}/v2/{image.repository}/manifests/{image.tag}"
    headers = {"Accept": _MANIFESTS}
    async with httpx.AsyncClient(timeout=timeout_seconds, transport=transport) as http:
        try:
            answer = await http.head(path, headers=headers)
            if answer.status_code == httpx.codes.UNAUTHORIZED:
                auth = await _auth(http, answer.headers.get("www-authenticate", ""), login)
                if auth is not None:
                    answer = await http.head(path, headers=headers, auth=auth)
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise RegistryError(
                f"The registry {image.registry} cannot be asked for {image} ({reason}): check the name and the network."
            ) from None
    return _digest(answer, image, login)


def _digest(answer: httpx.Response, image: ImageReference, login: RegistryLogin | None) -> str:
    if answer.is_success:
        digest: str = answer.headers.get("docker-content-digest", "")
        if not digest:
            raise RegistryError(f"The registry {image.registry} does not tell the digest of {image}.")
        return digest
    if answer.status_code == httpx.codes.NOT_FOUND:
        raise ImageNotFoundError(f"There is no image {image}: correct source.image and source.tag, or push it.")
    if answer.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        if login is None:
            # Registries hide what is private from strangers: nobody can tell the two apart without an account.
            raise RegistryError(
                f"{image} does not exist or is private: correct source.image and source.tag, or set REGISTRY_USER and "
                "REGISTRY_PASSWORD."
            )
        raise ImageNotFoundError(
            f"The account {login.user} may not read {image}, or it does not exist: check its rights at "
            f"{image.registry}."
        )
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
        raise RegistryError(f"The registry {image.registry} limits requests: wait, or log in with REGISTRY_USER.")
    raise RegistryError(f"The registry {image.registry} answered {answer.status_code} for {image}.")


class _Bearer(httpx.Auth):
    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


async def _auth(http: httpx.AsyncClient, challenge: str, login: RegistryLogin | None) -> httpx.Auth | None:
    """Follow the registry's challenge: answer with user and password, or ask its token service for a token."""
    scheme, _, rest = challenge.partition(" ")
    basic = httpx.BasicAuth(login.user, login.password.get_secret_value()) if login else None
    told = dict(_CHALLENGE.findall(rest))
    if scheme.lower() != "bearer" or "realm" not in told:
        return basic if scheme.lower() == "basic" else None
    realm = httpx.URL(told["realm"])
    if realm.scheme != "https" and not _is_local(realm.netloc.decode()):
        raise RegistryError(f"The registry sends its logins to {realm.host} without encryption: nothing was sent.")
    query = {name: told[name] for name in ("service", "scope") if name in told}
    answer = await http.get(realm, params=query, auth=basic)
    if not answer.is_success:
        return None
    try:
        granted = _Granted.model_validate_json(answer.content)
    except ValidationError:
        raise RegistryError(f"The token service {realm.host} does not answer as registries do.") from None
    token = granted.token or granted.access_token
    return _Bearer(token) if token else None


def _base_url(registry: str) -> str:
    host = _HUB_HOST if registry == _DOCKER_HUB else registry
    # As Docker does: a registry on this machine speaks plain HTTP.
    return f"{'http' if _is_local(host) else 'https'}://{host}"


def _is_local(host: str) -> bool:
    name = host.rpartition(":")[0] or host
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
