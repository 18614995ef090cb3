import pytest

from coolify.source import parse_address


@pytest.mark.parametrize(
    ("text", "git", "port", "coolify", "slug"),
    [
        ("git@github.com:example/shop.git", "git@github.com:example/shop.git", 22, None, "example/shop"),
        ("git@git.example.com:2222/team/shop.git", "git@git.example.com:team/shop.git", 2222, None, "team/shop"),
        ("ssh://git@git.example.com:2222/team/shop.git", "git@git.example.com:team/shop.git", 2222,
         "git@git.example.com:2222/team/shop.git", "team/shop"),
        ("ssh://git@git.example.com:22/a/b", "git@git.example.com:a/b", 22, "git@git.example.com:a/b", "a/b"),
        ("git@127.0.0.1:2222//srv/git/shop.git", "git@127.0.0.1:/srv/git/shop.git", 2222, None, "srv/git/shop"),
        ("https://github.com/example/shop.git", "https://github.com/example/shop.git", 22, None, "example/shop"),
        ("https://gitlab.com/a/b/c", "https://gitlab.com/a/b/c", 22, None, "a/b/c"),
        ("/srv/git/shop", "/srv/git/shop", 22, None, ""),
    ],
)  # fmt: skip
def test_an_address_is_written_as_git_and_as_coolify_want_it(text, git, port, coolify, slug) -> None:
    address = parse_address(text)
    assert address.git == git
    assert address.ssh_port == port
    assert address.coolify == (coolify or text)
    assert address.slug == slug


def test_a_public_address_has_its_counterpart_for_a_deploy_key() -> None:
    assert parse_address("https://github.com/example/shop").over_ssh().coolify == "git@github.com:example/shop.git"
    assert not parse_address("/srv/git/shop").over_ssh().is_ssh


def test_a_directory_is_no_host() -> None:
    assert parse_address("/srv/git/shop").host is None
    assert parse_address("file:///srv/git/shop").host is None
