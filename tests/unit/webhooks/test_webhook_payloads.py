"""What each provider's documented payload tells."""

import json
from urllib.parse import urlencode

import pytest
from pydantic import SecretStr

from coolify.webhooks import PushKind, Request, WebhookProvider, open_delivery
from coolify.webhooks.delivery import MalformedError
from tests.unit.webhooks.payloads import (
    BITBUCKET_PUSH,
    COMMIT,
    DELIVERIES,
    GENERIC_PUSH,
    GITEA_PUSH,
    GITHUB_PACKAGE,
    GITHUB_PUSH,
    GITHUB_RELEASE,
    GITLAB_PUSH,
    GITLAB_TAG,
    HARBOR_PUSH,
    HUB,
    NEW,
    NOW,
    OLD,
    SECRET,
    TAG_OBJECT,
    ZEROS,
    digest,
    request,
)


def opened(provider: str, sent: Request):
    return open_delivery(WebhookProvider(provider), sent, (SecretStr(SECRET),), NOW)


def github(payload, event="push"):
    return opened("github", request(payload, HUB | {"X-GitHub-Event": event, "X-GitHub-Delivery": "d1"}))


def test_a_push_to_a_branch_at_github_names_commit_author_and_files() -> None:
    (change,) = github(GITHUB_PUSH).changes
    assert change.kind is PushKind.BRANCH
    assert (change.ref, change.commit, change.before) == ("main", NEW, OLD)
    assert (change.message, change.author) == ("Sell hats", "Codertocat")
    assert change.paths == ("README.md", "apps/shop/hats.py")
    assert change.paths_complete
    assert change.addresses[0] == "https://github.com/Codertocat/Hello-World"
    assert "git@github.com:Codertocat/Hello-World.git" in change.addresses


def test_an_annotated_tag_at_github_is_the_commit_that_it_points_at() -> None:
    tag = GITHUB_PUSH | {
        "ref": "refs/tags/v1.0.0",
        "before": ZEROS,
        "after": TAG_OBJECT,
        "commits": [],
        "created": True,
    }
    (change,) = github(tag).changes
    assert (change.kind, change.ref, change.commit, change.before) == (PushKind.TAG, "v1.0.0", NEW, "")


@pytest.mark.parametrize("difference", [{"created": True}, {"forced": True}, {"commits": []}])
def test_files_of_a_new_or_rewritten_branch_are_not_complete(difference) -> None:
    (change,) = github(GITHUB_PUSH | difference).changes
    assert not change.paths_complete


@pytest.mark.parametrize(
    "difference",
    [{"after": ZEROS, "deleted": True, "head_commit": None, "commits": []}, {"ref": "refs/notes/commits"}],
)
def test_a_ref_that_is_gone_or_no_branch_is_no_push(difference) -> None:
    assert github(GITHUB_PUSH | difference).changes == ()


def test_a_published_release_at_github_is_the_push_of_its_tag() -> None:
    (change,) = github(GITHUB_RELEASE, "release").changes
    assert (change.kind, change.ref, change.commit) == (PushKind.TAG, "v1.0.0", "")


@pytest.mark.parametrize("difference", [{"action": "edited"}, {"release": {"tag_name": "v1", "draft": True}}])
def test_a_draft_or_an_edited_release_is_no_push(difference) -> None:
    assert github(GITHUB_RELEASE | difference, "release").changes == ()


def test_a_package_of_githubs_container_registry_is_the_push_of_an_image() -> None:
    (change,) = github(GITHUB_PACKAGE, "registry_package").changes
    assert (change.kind, change.ref, change.commit) == (PushKind.IMAGE, "1.4.0", "sha256:6c62")
    assert change.addresses == ("ghcr.io/codertocat/hello-world",)


def test_an_image_without_a_tag_is_no_push() -> None:
    version = {"container_metadata": {"tag": {"name": "", "digest": "sha256:6c62"}}, "package_url": "ghcr.io/a/b:"}
    assert (
        github({"action": "published", "registry_package": {"package_version": version}}, "registry_package").changes
        == ()
    )


@pytest.mark.parametrize("event", ["ping", "issues", ""])
def test_a_ping_and_other_events_are_genuine_and_no_push(event) -> None:
    delivery = github({"zen": "Speak like a human."}, event)
    assert delivery.changes == ()
    assert delivery.what == (event or "nameless")


def test_a_form_holds_the_same_push_as_json() -> None:
    body = urlencode({"payload": json.dumps(GITHUB_PUSH)}).encode()
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "x-github-event": "push",
        "x-hub-signature-256": f"sha256={digest(body)}",
    }
    (change,) = opened("github", Request(headers, body)).changes
    assert change.ref == "main"
    empty = b"other=1"
    with pytest.raises(MalformedError, match="no field `payload`"):
        opened("github", Request(headers | {"x-hub-signature-256": f"sha256={digest(empty)}"}, empty))


def test_a_push_at_gitlab_takes_message_and_skip_from_the_newest_commit() -> None:
    (change,) = opened("gitlab", DELIVERIES["gitlab"]).changes
    assert (change.ref, change.commit, change.message, change.author) == ("main", NEW, "Sell hats", "jsmith")
    assert change.paths_complete
    assert not change.skip
    more = request(GITLAB_PUSH | {"total_commits_count": 30}, {"X-Gitlab-Event": "Push Hook", "X-Gitlab-Token": SECRET})
    assert not opened("gitlab", more).changes[0].paths_complete


def test_a_tag_at_gitlab_is_the_commit_that_it_points_at() -> None:
    sent = request(GITLAB_TAG, {"X-Gitlab-Event": "Tag Push Hook", "X-Gitlab-Token": SECRET})
    (change,) = opened("gitlab", sent).changes
    assert (change.kind, change.ref, change.commit) == (PushKind.TAG, "v1.0.0", NEW)


def test_one_delivery_of_bitbucket_tells_of_a_branch_and_a_tag_and_not_of_what_was_deleted() -> None:
    delivery = opened("bitbucket", DELIVERIES["bitbucket"])
    assert [(one.kind.value, one.ref, one.commit) for one in delivery.changes] == [
        ("branch", "main", NEW),
        ("tag", "v1.0.0", NEW),
    ]
    assert delivery.changes[0].before == OLD
    assert not delivery.changes[0].paths_complete
    assert delivery.keys == ("be01",)


def test_gitea_and_forgejo_are_read_alike() -> None:
    (change,) = opened("gitea", DELIVERIES["gitea"]).changes
    assert (change.ref, change.commit, change.author) == ("develop", NEW, "gitea")
    assert change.paths_complete
    forgejo = request(
        GITEA_PUSH, {"X-Forgejo-Signature": "{digest}", "X-Forgejo-Event": "push", "X-Forgejo-Delivery": "f1"}
    )
    assert opened("gitea", forgejo).changes == (change,)


def test_an_image_at_docker_hub_is_named_with_its_registry() -> None:
    delivery = opened("dockerhub", DELIVERIES["dockerhub"])
    (change,) = delivery.changes
    assert (change.addresses, change.ref) == (("docker.io/svendowideit/testhook",), "latest")
    assert delivery.happened_at is not None


def test_an_artifact_at_harbor_is_the_push_of_its_tag() -> None:
    (change,) = opened("harbor", DELIVERIES["harbor"]).changes
    assert (change.addresses, change.ref, change.commit) == (
        ("harbor.example.com/test-webhook/debian",),
        "bullseye",
        "sha256:8a9e",
    )
    deleted = request(HARBOR_PUSH | {"type": "DELETE_ARTIFACT"}, {"Authorization": f"Bearer {SECRET}"})
    assert opened("harbor", deleted).changes == ()


def test_a_pipeline_tells_of_its_image_in_our_own_words() -> None:
    delivery = opened("generic", DELIVERIES["generic"])
    assert delivery.keys == ("build 4711",)
    assert delivery.changes[0].addresses == ("ghcr.io/example/shop",)
    nameless = {key: value for key, value in GENERIC_PUSH.items() if key != "id"}
    with pytest.raises(MalformedError, match="needs an `id`"):
        opened("generic", request(nameless, HUB))
    with pytest.raises(MalformedError, match="more than 262144 bytes"):
        opened("generic", request(GENERIC_PUSH | {"message": "x" * 262144}, HUB))


@pytest.mark.parametrize(
    ("message", "skips"),
    [
        ("Fix [skip ci]", True),
        ("[CI SKIP] Fix", True),
        ("Fix\n\n[no ci]", True),
        ("Fix [skip deploy]", True),
        ("Tell how [skip] works", False),
        ("skip ci", False),
    ],
)
def test_a_commit_can_ask_not_to_be_deployed(message, skips) -> None:
    head = COMMIT | {"message": message}
    (change,) = github(GITHUB_PUSH | {"head_commit": head, "commits": [head]}).changes
    assert change.skip is skips


def test_a_thousand_files_are_told_and_more_count_as_unknown() -> None:
    for number, complete in ((1000, True), (1001, False)):
        commit = COMMIT | {"added": [f"file{one}" for one in range(number)], "modified": []}
        (change,) = github(GITHUB_PUSH | {"commits": [commit]}).changes
        assert change.paths_complete is complete
        assert len(change.paths) == (number if complete else 0)


@pytest.mark.parametrize(
    ("provider", "body"),
    [
        ("github", b"no json"),
        ("github", b'{"ref": "refs/heads/main"}'),
        ("gitea", b"[]"),
        ("bitbucket", b'{"push": 1}'),
    ],
)
def test_what_cannot_be_read_is_told_by_the_place_and_not_by_its_content(provider, body) -> None:
    headers = {
        "X-GitHub-Event": "push",
        "X-Gitea-Event": "push",
        "X-Event-Key": "repo:push",
        "X-Hub-Signature-256": "sha256={digest}",
        "X-Hub-Signature": "sha256={digest}",
        "X-Gitea-Signature": "{digest}",
    }
    with pytest.raises(MalformedError, match=f"not as {provider} documents it"):
        opened(provider, request(body, headers))


def test_a_time_beyond_all_calendars_is_malformed() -> None:
    payload = {"push_data": {"pushed_at": 1e30, "tag": "latest"}, "repository": {"repo_name": "a/b"}}
    with pytest.raises(MalformedError, match="no time"):
        opened("dockerhub", request(payload, {}, path_token=SECRET))


def test_bitbucket_without_changes_is_no_push() -> None:
    payload = BITBUCKET_PUSH | {"push": {"changes": []}}
    sent = request(payload, {"X-Hub-Signature": "sha256={digest}", "X-Event-Key": "repo:push"})
    assert opened("bitbucket", sent).changes == ()
