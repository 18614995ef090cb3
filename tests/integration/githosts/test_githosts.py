"""Deploy keys and webhooks at the four kinds of Git hosts, over HTTP."""

import pytest
from pydantic import SecretStr

from coolify.config import GitHostKind
from coolify.githosts import GitHostError, ensure_hook, ensure_key, find_hook, kind_of_host, open_git_host
from coolify.source import parse_address
from coolify.source.deploy_key import generate_deploy_key
from coolify_sandbox.serving import serve_forever
from tests.integration import githosts_on_loopback as hosts

URL = "https://hooks.example.com/webhooks/git"
GENERATED = SecretStr("generated")
KINDS = {
    GitHostKind.GITHUB: (hosts.GitHubHost, "github.com", "GITHUB_TOKEN"),
    GitHostKind.GITLAB: (hosts.GitLabHost, "gitlab.com", "GITLAB_TOKEN"),
    GitHostKind.BITBUCKET: (hosts.BitbucketHost, "bitbucket.org", "BITBUCKET_TOKEN"),
    GitHostKind.GITEA: (hosts.GiteaHost, "codeberg.org", "GITEA_TOKEN"),
}


@pytest.fixture(params=list(KINDS), ids=lambda kind: kind.value)
def kind(request):
    return request.param


@pytest.fixture
async def server(kind):
    made = KINDS[kind][0]()
    async with serve_forever(made.app()) as port:
        made.url = f"http://127.0.0.1:{port}"
        yield made


@pytest.fixture
async def host(kind, server):
    opened = reach(kind, server)
    yield opened
    await opened.aclose()


def reach(kind, server, token: str | None = None):
    _, name, variable = KINDS[kind]
    address = parse_address(f"git@{name}:{hosts.SLUG}.git")
    return open_git_host(address, None, server.base, {variable: token or server.token})


async def test_a_deploy_key_is_added_once(host, server) -> None:
    key = generate_deploy_key("shop")
    assert await ensure_key(host, "deploy key", key.public)
    assert not await ensure_key(host, "deploy key", key.public)
    assert not await ensure_key(host, "deploy key", f"{key.public} with another comment")
    assert len(server.keys) == 1


async def test_keys_of_all_pages_are_seen(host, server) -> None:
    keys = [generate_deploy_key(str(number)).public for number in range(5)]
    for key in keys:
        await ensure_key(host, "key", key)
    assert len(await host.keys()) == 5
    assert not await ensure_key(host, "key", keys[4])


async def test_an_answer_that_is_lost_adds_no_second_key(host, server) -> None:
    server.lose_answers = True
    assert not await ensure_key(host, "deploy key", generate_deploy_key("shop").public)
    assert len(server.keys) == 1


async def test_a_webhook_is_created_with_the_generated_secret(host, server) -> None:
    assert await ensure_hook(host, URL, None, GENERATED) == "created"
    assert server.secret() == "generated"
    found = await find_hook(host, URL)
    assert found is not None
    assert found.works


async def test_an_existing_webhook_is_found_by_its_address_and_left_alone(host, server) -> None:
    for number in range(3):
        await host.add_hook(f"https://other.example.com/{number}", SecretStr("x"))
    await ensure_hook(host, URL, SecretStr("given"), GENERATED)
    assert await ensure_hook(host, f"{URL}/", None, GENERATED) == "unchanged"
    assert len(server.hooks) == 4
    assert server.secret(3) == "given"


async def test_an_existing_webhook_gets_the_secret_that_is_given(host, server) -> None:
    await ensure_hook(host, URL, None, GENERATED)
    assert await ensure_hook(host, URL, SecretStr("given"), GENERATED) == "updated"
    assert len(server.hooks) == 1
    assert server.secret() == "given"


async def test_a_webhook_whose_answer_is_lost_keeps_the_secret_that_is_told(host, server) -> None:
    server.lose_answers = True
    assert await ensure_hook(host, URL, None, GENERATED) == "created"
    assert (len(server.hooks), server.secret()) == (1, "generated")


async def test_a_webhook_that_was_not_made_is_an_error(host, server) -> None:
    server.fail = True
    with pytest.raises(GitHostError, match="failure of its own"):
        await ensure_hook(host, URL, None, GENERATED)
    assert server.hooks == []


async def test_a_webhook_that_is_switched_off_is_mended_and_keeps_its_secret(host, server) -> None:
    await ensure_hook(host, URL, SecretStr("given"), GENERATED)
    for name, broken in (("active", False), ("push_events", False), ("events", ["issues"])):
        if name in server.hooks[0]:
            server.hooks[0][name] = broken
    assert not (await find_hook(host, URL)).works
    assert await ensure_hook(host, URL, None, GENERATED) == "updated"
    assert (await find_hook(host, URL)).works
    assert server.secret() == "given"


async def test_gitlab_enables_a_webhook_again_once_the_receiver_takes_a_test_delivery() -> None:
    server = hosts.GitLabHost()
    async with serve_forever(server.app()) as port:
        server.url = f"http://127.0.0.1:{port}"
        host = reach(GitHostKind.GITLAB, server)
        await ensure_hook(host, URL, None, GENERATED)
        server.hooks[0]["alert_status"] = "disabled"
        server.receiver_answers = False
        with pytest.raises(GitHostError, match="Start the receiver"):
            await ensure_hook(host, URL, None, GENERATED)
        assert not (await find_hook(host, URL)).works
        server.receiver_answers = True
        assert await ensure_hook(host, URL, None, GENERATED) == "updated"
        assert (await find_hook(host, URL)).works
        await host.aclose()


async def test_a_refused_token_is_told_with_what_it_needs_and_without_itself(kind, server) -> None:
    host = reach(kind, server, "wrong-token")
    with pytest.raises(GitHostError, match=r"refuses the token \(401.*\): Use a") as failure:
        await host.keys()
    assert "wrong-token" not in str(failure.value)
    await host.aclose()


async def test_a_host_that_is_not_there_is_one_sentence(kind, server, unused_tcp_port) -> None:
    server.url = f"http://127.0.0.1:{unused_tcp_port}"
    host = reach(kind, server)
    with pytest.raises(GitHostError, match="cannot be asked"):
        await host.hooks()
    await host.aclose()


async def test_a_token_does_not_follow_a_list_to_another_host() -> None:
    class Elsewhere(hosts.BitbucketHost):
        def answer_page(self, chunk, following):
            return super().answer_page(chunk, "https://evil.example.com/2.0/next")

    server = Elsewhere()
    async with serve_forever(server.app()) as port:
        server.url = f"http://127.0.0.1:{port}"
        host = reach(GitHostKind.BITBUCKET, server)
        with pytest.raises(GitHostError, match=r"evil\.example\.com: the token does not go there"):
            await host.keys()
        await host.aclose()


async def test_bitbucket_takes_a_user_with_an_app_password() -> None:
    server = hosts.BitbucketHost(token="ada:app-password")
    async with serve_forever(server.app()) as port:
        server.url = f"http://127.0.0.1:{port}"
        host = reach(GitHostKind.BITBUCKET, server)
        assert await host.hooks() == ()
        await host.aclose()


def test_a_token_is_never_sent_without_encryption() -> None:
    address = parse_address("git@git.example.com:example/shop.git")
    with pytest.raises(GitHostError, match="not encrypted"):
        open_git_host(address, GitHostKind.GITEA, "http://git.example.com/api/v1", {"GITEA_TOKEN": "x"})


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("github.com", GitHostKind.GITHUB),
        ("gitlab.example.com", GitHostKind.GITLAB),
        ("forgejo.example.com", GitHostKind.GITEA),
        ("git.example.com", None),
        (None, None),
    ],
)
def test_the_kind_of_a_host_is_taken_from_its_name_where_that_tells(name, expected) -> None:
    assert kind_of_host(name) is expected


def test_a_token_comes_from_the_keyring_where_the_environment_has_none(monkeypatch) -> None:
    import keyring

    asked = []
    monkeypatch.setattr(keyring, "get_password", lambda service, user: asked.append((service, user)) or "kept")
    address = parse_address("git@github.com:example/shop.git")
    assert open_git_host(address, None, None, {}) is not None
    assert asked == [("coolify-flows", "git:github.com")]
