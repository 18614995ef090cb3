"""Blocks explain themselves, keep their secrets, and become what the library works with."""

import pytest
from prefect.blocks.core import Block
from prefect.testing.standard_test_suites import BlockStandardTestSuite
from prefect.types import SecretDict
from pydantic import SecretStr, ValidationError

import blocks
from blocks import Application, CoolifyServer
from coolify.api import CoolifyError

SECRET = "3|0123456789abcdefghijklmnopqrstuvwxyzABCD"
BLOCKS = sorted(
    (one for name in blocks.__all__ if issubclass(one := getattr(blocks, name), Block)), key=lambda one: one.__name__
)


class TestBlocksByPrefectsOwnSuite(BlockStandardTestSuite):
    @pytest.fixture(params=BLOCKS, ids=lambda one: one.__name__)
    def block(self, request):
        return request.param

    def test_has_a_valid_image(self, block) -> None:
        """No logo: it would be fetched from the internet by everybody who opens the page of blocks."""
        assert block._logo_url is None


@pytest.mark.parametrize("block", BLOCKS, ids=lambda one: one.__name__)
def test_only_what_a_connection_is_made_of_must_be_filled_in(block) -> None:
    """Whatever is added later has a default: a block that was saved before has no value for it."""
    required = {name for name, field in block.model_fields.items() if field.is_required()}
    assert required <= {"base_url", "token", "server", "configuration", "host", "sender"}


async def test_a_connection_is_checked_against_the_instance(sandbox) -> None:
    server = CoolifyServer(base_url=sandbox.url, token=SecretStr(sandbox.token))
    assert (await server.check()).team.name == "Root Team"
    with pytest.raises(CoolifyError, match="token"):
        await CoolifyServer(base_url=sandbox.url, token=SecretStr(SECRET)).check()


async def test_an_application_is_saved_and_released_from_there(shop, coolify, in_prefect, monkeypatch) -> None:
    from coolify.release import Outcome
    from flows.release import ReleaseRequest, release
    from tasks.session import Target

    server = dict(in_prefect.environment)
    shop.configure(env={"GREETING": "${GREETING_OF_THE_DAY}"})
    push = ("project", "config", "push", "--json")
    done = await coolify(*push, GREETING_OF_THE_DAY="Ahoy", **server)
    assert done.code == 0, done.text
    assert done.json["block"] == "shop-production"
    assert done.json["missing"] == ["COOLIFY_TOKEN", "GREETING_OF_THE_DAY"]
    done = await coolify(*push, "--values", GREETING_OF_THE_DAY="Ahoy", **server)
    assert (done.json["changed"], done.json["missing"]) == (["values"], [])
    assert (await coolify(*push, **server)).json["changed"] == []
    shop.configure(application={"name": "shop", "description": "Sells things"})
    assert (await coolify(*push, "--dry-run", **server)).json["changed"] == ["configuration"]
    assert (await coolify(*push, **server)).json["changed"] == ["configuration"]

    monkeypatch.delenv("COOLIFY_TOKEN")
    shop.config.unlink()
    application = await Application.aload("shop-production")
    assert shop.sandbox.token not in repr(application)
    request = ReleaseRequest(target=Target(application=application))
    state = await release(request, return_state=True)
    report = await state.aresult(raise_on_failure=False)
    assert report.outcome is Outcome.COMPLETED, report.reason
    assert "Ahoy" in (await shop.visit()).text


async def test_a_configuration_is_read_from_its_repository(shop, in_prefect, monkeypatch) -> None:
    from flows.check_health import check_health
    from flows.enable_certificates import EnableRequest, enable_certificates
    from tasks.session import Target
    from tasks.target import ConfigNotOursError

    text = shop.config.read_text()
    file = shop.repository.path / ".coolify" / "config.yml"
    file.parent.mkdir()
    file.write_text(text)
    shop.repository._git("add", ".coolify")
    shop.repository._git("commit", "--quiet", "--message", "Describe the application")
    shop.config.unlink()
    monkeypatch.delenv("COOLIFY_TOKEN")
    application = Application(
        configuration="", repository=str(shop.repository.path), values=SecretDict({"COOLIFY_TOKEN": shop.sandbox.token})
    )
    await application.asave("from-git", overwrite=True)
    target = Target(application=await Application.aload("from-git"))
    assert target.label == "from-git"
    assert not (await check_health(target)).passed
    with pytest.raises(ConfigNotOursError, match="git push"):
        await enable_certificates(EnableRequest(target=target))


def test_an_address_with_a_password_is_refused() -> None:
    with pytest.raises(ValidationError, match="deploy key"):
        Application(configuration="", repository="https://me:secret@git.example.com/shop.git")
