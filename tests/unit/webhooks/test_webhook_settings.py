"""The file of the receiver, where secrets are, and which address a host is to call."""

import pytest
from pydantic import SecretStr

from coolify.config import ConfigError
from coolify.webhooks import WebhookProvider
from coolify.webhooks.route import hook_address
from deployments.webhooks.settings import NoSecretError, SecretOrigin, load_settings
from deployments.webhooks.vault import SecretMissingError, Vault

GOOD = """
sources:
  github:
    secrets:
      - environment: NEW_SECRET
      - environment: OLD_SECRET
  forge:
    provider: gitea
    secrets: [{command: [echo, printed]}]
"""


def loaded(tmp_path, text):
    file = tmp_path / "webhooks.yml"
    file.write_text(text)
    return load_settings(file, {})


def test_without_a_file_every_kind_of_host_has_a_source_with_one_secret_or_two() -> None:
    settings = load_settings(None, {"COOLIFY_WEBHOOK_SECRET": "a", "COOLIFY_WEBHOOK_SECRET_OLD": "b"})
    assert set(settings.sources) == {one.value for one in WebhookProvider}
    assert [one.environment for one in settings.sources["github"].secrets] == [
        "COOLIFY_WEBHOOK_SECRET",
        "COOLIFY_WEBHOOK_SECRET_OLD",
    ]
    with pytest.raises(NoSecretError, match="export COOLIFY_WEBHOOK_SECRET"):
        load_settings(None, {"COOLIFY_WEBHOOK_SECRET_OLD": "b"})


def test_a_source_that_is_called_like_its_provider_does_not_name_it(tmp_path) -> None:
    settings = loaded(tmp_path, GOOD)
    assert {name: one.provider.value for name, one in settings.sources.items()} == {
        "github": "github",
        "forge": "gitea",
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("sources: {}\n", ":1: sources: "),
        ("sources:\n  forge:\n    secrets: [{environment: A}]\n", ":2: sources.forge: `provider` is missing"),
        ("sources:\n  github:\n    secret: abc\n", ":3: sources.github.secret: unknown key: did you mean `secrets`?"),
        ("sources:\n  github:\n    secrets: [{value: abc}]\n", ":3: sources.github.secrets[0].value: unknown key"),
        (
            "sources:\n  github:\n    secrets: [{environment: A, keyring: b}]\n",
            ":3: sources.github.secrets[0]: needs exactly one of",
        ),
        ("sources:\n  github:\n    secrets: []\n", ":3: sources.github.secrets: "),
        ("sourcs: {}\n", ":1: sourcs: unknown key: did you mean `sources`?"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_without_values(tmp_path, text, told) -> None:
    with pytest.raises(ConfigError) as error:
        loaded(tmp_path, text)
    assert told in str(error.value)
    assert "abc" not in str(error.value)


async def test_secrets_are_read_again_and_kept_when_they_cannot_be(tmp_path, monkeypatch) -> None:
    vault = Vault(loaded(tmp_path, GOOD))
    with pytest.raises(SecretMissingError, match="Source github: The environment variable NEW_SECRET holds no secret"):
        await vault.read_first()
    monkeypatch.setenv("NEW_SECRET", "new")
    monkeypatch.setenv("OLD_SECRET", "old")
    assert await vault.read_first() == ()
    assert vault.of("github") == (SecretStr("new"), SecretStr("old"))
    assert vault.of("forge") == (SecretStr("printed"),)
    assert vault.of("stranger") == ()
    for name in ("NEW_SECRET", "OLD_SECRET"):
        monkeypatch.delenv(name)
    assert len(await vault.read()) == 2
    assert vault.of("github") == (SecretStr("new"), SecretStr("old"))
    assert "new" not in repr(vault.of("github"))


async def test_a_secret_in_the_keyring_is_found_under_our_service(monkeypatch) -> None:
    import keyring

    asked = []
    monkeypatch.setattr(keyring, "get_password", lambda *names: asked.append(names) or "kept")
    settings = load_settings(None, {"COOLIFY_WEBHOOK_SECRET": "a"})
    source = settings.sources["github"].model_copy(update={"secrets": (SecretOrigin(keyring="webhook:forge"),)})
    vault = Vault(settings.model_copy(update={"sources": {"github": source}}))
    await vault.read_first()
    assert vault.of("github") == (SecretStr("kept"),)
    assert asked == [("coolify-flows", "webhook:forge")]


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://hooks.example.com", "https://hooks.example.com/webhooks/github"),
        ("https://hooks.example.com/", "https://hooks.example.com/webhooks/github"),
        ("https://hooks.example.com/webhooks/shop", "https://hooks.example.com/webhooks/shop"),
        ("https://example.com/moved/by/a/proxy", "https://example.com/moved/by/a/proxy"),
    ],
)
def test_an_address_without_a_path_gets_the_route_of_the_receiver(url, address) -> None:
    assert hook_address(url, "github") == address
