"""A registry on loopback, asked as Docker asks it."""

import pytest
from pydantic import SecretStr

from coolify.config import Source
from coolify.finding import Severity
from coolify.source.image import check_image
from coolify.source.registry import ImageNotFoundError, RegistryError, RegistryLogin, parse_image, resolve_digest


def login(user: str = "ada", password: str = "geheim") -> RegistryLogin:
    return RegistryLogin(user, SecretStr(password))


@pytest.mark.parametrize(
    ("image", "full"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("nginx:1.27", "docker.io/library/nginx:1.27"),
        ("example/shop", "docker.io/example/shop:latest"),
        ("ghcr.io/example/shop:v1", "ghcr.io/example/shop:v1"),
        ("localhost:5000/shop", "localhost:5000/shop:latest"),
        (f"nginx@sha256:{'a' * 64}", f"docker.io/library/nginx@sha256:{'a' * 64}"),
    ],
)
def test_a_name_is_read_as_docker_reads_it(image, full) -> None:
    assert str(parse_image(image)) == full


async def test_the_digest_of_a_public_image_comes_with_an_anonymous_token(registry) -> None:
    digest = registry.push("team/shop:1.0")
    assert await resolve_digest(parse_image(f"{registry.name}/team/shop:1.0")) == digest
    assert registry.asked == ["HEAD team/shop ", "HEAD team/shop Bearer"]


async def test_an_image_is_found_by_its_digest(registry) -> None:
    digest = registry.push("team/shop:1.0")
    assert await resolve_digest(parse_image(f"{registry.name}/team/shop@{digest}")) == digest
    with pytest.raises(ImageNotFoundError):
        await resolve_digest(parse_image(f"{registry.name}/team/shop@sha256:{'0' * 64}"))


async def test_a_registry_without_logins_is_asked_once(registry) -> None:
    registry.scheme = "free"
    digest = registry.push("shop:latest")
    assert await resolve_digest(parse_image(f"{registry.name}/shop")) == digest
    assert len(registry.asked) == 1


async def test_a_missing_tag_is_told_with_what_to_do(registry) -> None:
    registry.push("team/shop:1.0")
    with pytest.raises(ImageNotFoundError, match=r"no image .*/team/shop:1\.1: correct source\.image"):
        await resolve_digest(parse_image(f"{registry.name}/team/shop:1.1"))


async def test_a_private_image_opens_with_an_account(registry) -> None:
    registry.users["ada"] = "geheim"
    registry.private.add("team/secret")
    digest = registry.push("team/secret:1.0")
    assert await resolve_digest(parse_image(f"{registry.name}/team/secret:1.0"), login()) == digest


async def test_a_private_image_without_an_account_is_unknown_and_not_missing(registry) -> None:
    registry.private.add("team/secret")
    registry.push("team/secret:1.0")
    with pytest.raises(RegistryError, match="does not exist or is private") as failure:
        await resolve_digest(parse_image(f"{registry.name}/team/secret:1.0"))
    assert not isinstance(failure.value, ImageNotFoundError)


@pytest.mark.parametrize("scheme", ["bearer", "basic"])
async def test_a_wrong_password_is_refused_and_never_repeated_in_the_message(registry, scheme) -> None:
    registry.scheme = scheme
    registry.users["ada"] = "geheim"
    registry.push("team/shop:1.0")
    with pytest.raises(ImageNotFoundError, match="account ada") as failure:
        await resolve_digest(parse_image(f"{registry.name}/team/shop:1.0"), login(password="falsch"))
    assert "falsch" not in str(failure.value)


async def test_a_basic_login_is_sent_only_after_the_registry_asked_for_it(registry) -> None:
    registry.scheme = "basic"
    registry.users["ada"] = "geheim"
    digest = registry.push("shop:1")
    assert await resolve_digest(parse_image(f"{registry.name}/shop:1"), login()) == digest
    assert registry.asked == ["HEAD shop ", "HEAD shop Basic "]


async def test_a_limit_of_requests_is_told(registry) -> None:
    registry.limited = True
    with pytest.raises(RegistryError, match="limits requests"):
        await resolve_digest(parse_image(f"{registry.name}/shop:1"))


async def test_a_login_is_not_sent_to_a_token_service_without_encryption(registry) -> None:
    registry.realm = "http://tokens.example.com/token"
    registry.push("shop:1")
    with pytest.raises(RegistryError, match="without encryption"):
        await resolve_digest(parse_image(f"{registry.name}/shop:1"), login())


async def test_a_registry_that_is_not_there_is_one_sentence(unused_tcp_port) -> None:
    with pytest.raises(RegistryError, match="cannot be asked"):
        await resolve_digest(parse_image(f"127.0.0.1:{unused_tcp_port}/shop:1"))


@pytest.mark.parametrize(
    ("tag", "name", "severity"),
    [("1.0", "source-image-found", Severity.OK), ("2.0", "source-image-missing", Severity.ERROR)],
)
async def test_the_finding_tells_what_the_registry_said(registry, tag, name, severity) -> None:
    digest = registry.push("team/shop:1.0")
    seen = await check_image(Source(image=f"{registry.name}/team/shop", tag=tag), {})
    assert (seen.finding.name, seen.finding.severity) == (name, severity)
    assert seen.digest == (digest if tag == "1.0" else None)


async def test_an_image_that_strangers_cannot_see_is_a_warning_that_the_environment_settles(registry) -> None:
    registry.users["ada"] = "geheim"
    registry.private.add("team/secret")
    registry.push("team/secret:1.0")
    source = Source(image=f"{registry.name}/team/secret", tag="1.0")
    assert (await check_image(source, {})).finding.name == "source-image-unknown"
    environ = {"REGISTRY_USER": "ada", "REGISTRY_PASSWORD": "geheim"}
    assert (await check_image(source, environ)).finding.name == "source-image-found"
    login = {"user": "${WHO:-ada}", "password": "${SHOP_REGISTRY_PASSWORD}"}
    configured = Source.model_validate({"image": source.image, "tag": "1.0", "registry": login})
    assert (await check_image(configured, {"SHOP_REGISTRY_PASSWORD": "geheim"})).finding.name == "source-image-found"
