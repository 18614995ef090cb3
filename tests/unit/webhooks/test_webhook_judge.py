"""Which pushes are meant for an application."""

import pytest

from coolify.config import Config, OnPush
from coolify.webhooks import Change, PushKind, judge_push
from coolify.webhooks.judge import matches, matches_path

HTTPS = "https://github.com/Example/Shop"


def config(source=None, **release) -> Config:
    return Config.model_validate(
        {
            "server": "https://coolify.example.com",
            "project": {"name": "shop"},
            "source": source or {"repository": "git@github.com:example/shop.git", "branch": "main"},
            "release": release,
        }
    )


def push(kind=PushKind.BRANCH, ref="main", **fields) -> Change:
    return Change(**{"kind": kind, "addresses": (HTTPS, f"{HTTPS}.git"), "ref": ref, "commit": "c" * 40} | fields)


@pytest.mark.parametrize(
    ("repository", "addresses", "is_it"),
    [
        ("git@github.com:example/shop.git", (HTTPS,), True),
        ("https://github.com/example/shop", ("ssh://git@github.com/example/shop.git",), True),
        ("https://github.com/example/shop.git", ("https://github.com/example/shopping",), False),
        ("https://github.com/example/shop.git", ("https://gitlab.com/example/shop",), False),
        ("git@git.example.com:2222/example/shop.git", ("ssh://git@git.example.com:2222/example/shop.git",), True),
        ("/srv/git/shop.git", ("/srv/git/shop.git",), True),
        ("/srv/git/shop.git", ("/srv/git/other.git", "example/shop"), False),
    ],
)
def test_a_repository_is_known_however_its_address_is_written(repository, addresses, is_it) -> None:
    verdict = judge_push(config({"repository": repository}), push(addresses=addresses))
    assert verdict.wanted is is_it
    if not is_it:
        assert verdict.reason == "it is not the source of shop"


def test_only_the_branch_of_the_source_counts() -> None:
    assert judge_push(config(), push()).wanted
    assert judge_push(config(), push(ref="develop")).reason == "its branch is develop and not main"
    assert not judge_push(config(on_push={"branch": False}), push()).wanted
    pinned = config({"repository": HTTPS, "commit": "abc1234"})
    assert judge_push(pinned, push()).reason == "source.commit is abc1234"


def test_a_commit_that_asks_not_to_be_deployed_is_left_alone() -> None:
    assert judge_push(config(), push(skip=True)).reason == "its commit asks not to be deployed"
    stranger = push(skip=True, addresses=("https://github.com/other/shop",))
    assert judge_push(config(), stranger).reason == "it is not the source of shop"


def test_what_coolify_deploys_itself_is_not_deployed_twice() -> None:
    assert not judge_push(config(auto_deploy=True), push()).wanted


def test_a_push_must_touch_the_watched_paths_where_they_are_told() -> None:
    rules = {"on_push": {"paths": ["apps/shop", "!**/*.md"]}}
    assert judge_push(config(**rules), push(paths=("apps/shop/a.py",), paths_complete=True)).wanted
    readme = push(paths=("apps/shop/README.md", "apps/blog/b.py"), paths_complete=True)
    assert not judge_push(config(**rules), readme).wanted
    unknown = judge_push(config(**rules), push(paths=("apps/blog/b.py",)))
    assert unknown.wanted
    assert "not told" in unknown.reason


def test_a_tag_releases_its_commit_only_where_the_file_names_it() -> None:
    tag = push(PushKind.TAG, "v1.2.0")
    assert not judge_push(config(), tag).wanted
    verdict = judge_push(config(on_push={"tags": ["v*"]}), tag)
    assert (verdict.wanted, verdict.commit) == (True, "c" * 40)
    # The payload of a release does not tell the commit.
    assert judge_push(config(on_push={"tags": ["v*"]}), push(PushKind.TAG, "v1.2.0", commit="")).commit == "v1.2.0"
    assert not judge_push(config(on_push={"tags": ["v*"]}), push(PushKind.TAG, "beta")).wanted


@pytest.mark.parametrize("name", ["v1;reboot", "--upload-pack=x", "v1 $(id)", "v" * 300])
def test_a_name_that_could_be_a_command_is_never_released(name) -> None:
    rules = {"on_push": {"tags": ["*"]}}
    assert not judge_push(config(**rules), push(PushKind.TAG, name, commit="")).wanted
    assert not judge_push(config(**rules), push(PushKind.TAG, "v1", commit=name)).wanted
    image = push(PushKind.IMAGE, name, addresses=("ghcr.io/example/shop",))
    assert not judge_push(config({"image": "ghcr.io/example/shop"}, **rules), image).wanted


@pytest.mark.parametrize(
    ("image", "pushed", "is_it"),
    [
        ("ghcr.io/example/shop", "ghcr.io/example/shop", True),
        ("example/shop", "docker.io/example/shop", True),
        ("nginx", "docker.io/library/nginx", True),
        ("docker.io/nginx", "docker.io/library/nginx", True),
        ("registry.example.com:5000/shop", "registry.example.com:5000/shop", True),
        ("ghcr.io/example/shop", "docker.io/example/shop", False),
    ],
)
def test_an_image_is_known_with_and_without_its_registry(image, pushed, is_it) -> None:
    change = push(PushKind.IMAGE, "latest", addresses=(pushed,))
    assert judge_push(config({"image": image}), change).wanted is is_it


def test_an_image_releases_the_tag_of_the_file_or_one_that_it_allows() -> None:
    image = {"image": "ghcr.io/example/shop", "tag": "stable"}

    def judged(tag, **release):
        return judge_push(config(image, **release), push(PushKind.IMAGE, tag, addresses=("ghcr.io/example/shop",)))

    assert (judged("stable").wanted, judged("stable").tag) == (True, "")
    assert judged("1.4.0").reason == "its tag is 1.4.0 and not stable"
    allowed = judged("1.4.0", on_push={"tags": ["1.*"]})
    assert (allowed.wanted, allowed.tag) == (True, "1.4.0")
    digest = config({"image": "ghcr.io/example/shop@sha256:" + "a" * 64})
    change = push(PushKind.IMAGE, "stable", addresses=("ghcr.io/example/shop",))
    assert judge_push(digest, change).reason == "source.image is a digest"


@pytest.mark.parametrize(
    ("path", "patterns", "fits"),
    [
        ("apps/shop/a.py", ("apps/shop",), True),
        ("apps/shop/a.py", ("apps/shop/",), True),
        ("apps/shopping/a.py", ("apps/shop",), False),
        ("apps/shop/a.py", ("apps/*/a.py",), True),
        ("apps/shop/x/a.py", ("apps/*.py",), False),
        ("apps/shop/x/a.py", ("apps/**/*.py",), True),
        ("apps/a.py", ("apps/**/*.py",), True),
        ("pyproject.toml", ("*.toml",), True),
        ("sub/pyproject.toml", ("*.toml",), False),
        ("sub/pyproject.toml", ("**/*.toml",), True),
        ("docs/a.md", ("!docs",), False),
        ("src/a.py", ("!docs",), True),
        ("docs/api/a.md", ("**", "!docs", "docs/api"), True),
        ("a+b.py", ("a+b.py",), True),
        ("aab.py", ("a+b.py",), False),
    ],
)
def test_patterns_of_paths(path, patterns, fits) -> None:
    assert matches_path(path, patterns) is fits


def test_patterns_of_tags_cross_slashes() -> None:
    assert matches("shop/v1.0", ("shop/*",))
    assert matches("v1", ("v?",))
    assert not matches("v10", ("v?",))


def test_nothing_is_watched_by_default() -> None:
    assert OnPush() == OnPush(branch=True, tags=(), paths=())
