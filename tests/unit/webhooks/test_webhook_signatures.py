"""Who is believed, and what is too old."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from coolify.webhooks import RefusedError, Request, WebhookProvider, open_delivery
from coolify.webhooks.signatures import check_hexadecimal, check_standard
from tests.unit.webhooks.payloads import (
    DELIVERIES,
    DOCKERHUB_PUSH,
    GENERIC_PUSH,
    GITHUB_PUSH,
    GITHUB_REPOSITORY,
    GITLAB_PUSH,
    HARBOR_PUSH,
    HUB,
    NOW,
    SECRET,
    request,
    standard,
)

OTHER = "another secret"


def opened(provider, sent, *secrets, now=NOW):
    valid = tuple(SecretStr(one) for one in secrets or (SECRET,))
    return open_delivery(WebhookProvider(provider), sent, valid, now)


def test_the_example_of_github_fits() -> None:
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    sent = Request({"x-hub-signature-256": signature}, b"Hello, World!")
    check_hexadecimal(sent, "X-Hub-Signature-256", (SecretStr("It's a Secret to Everybody"),))
    with pytest.raises(RefusedError):
        check_hexadecimal(replace(sent, body=b"Hello, World?"), "X-Hub-Signature-256", (SecretStr(SECRET),))


def test_the_example_of_bitbucket_fits() -> None:
    signature = "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"
    sent = Request({"x-hub-signature": signature}, b"Hello World!")
    check_hexadecimal(sent, "X-Hub-Signature", (SecretStr("It's a Secret to Everybody"),))


def test_the_example_of_standard_webhooks_fits() -> None:
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1a,ignored v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    sent = Request(headers, b'{"test": 2432232314}')
    secret = (SecretStr("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),)
    now = datetime.fromtimestamp(1614265330, UTC)
    assert check_standard(sent, secret, now) == "msg_p5jXN8AQM9LWM0D4loKWxJek"
    for away in (timedelta(minutes=6), timedelta(minutes=-6)):
        with pytest.raises(RefusedError, match="clock"):
            check_standard(sent, secret, now + away)


@pytest.mark.parametrize("provider", DELIVERIES)
def test_the_right_secret_is_believed_and_another_one_is_not(provider) -> None:
    assert opened(provider, DELIVERIES[provider]).changes
    with pytest.raises(RefusedError) as refused:
        opened(provider, DELIVERIES[provider], OTHER)
    assert SECRET not in str(refused.value)
    assert OTHER not in str(refused.value)


@pytest.mark.parametrize("provider", DELIVERIES)
def test_two_secrets_are_valid_at_once_in_any_order(provider) -> None:
    assert opened(provider, DELIVERIES[provider], OTHER, SECRET).changes
    assert opened(provider, DELIVERIES[provider], SECRET, OTHER).changes


@pytest.mark.parametrize("provider", DELIVERIES)
def test_nothing_is_believed_without_a_secret_or_with_an_empty_one(provider) -> None:
    for secrets in ((), (SecretStr(""),), (SecretStr(SECRET), SecretStr(""))):
        with pytest.raises(RefusedError, match="no secret"):
            open_delivery(WebhookProvider(provider), DELIVERIES[provider], secrets, NOW)


@pytest.mark.parametrize("provider", ["github", "bitbucket", "gitea", "generic"])
def test_a_changed_byte_is_noticed(provider) -> None:
    sent = DELIVERIES[provider]
    with pytest.raises(RefusedError):
        opened(provider, replace(sent, body=sent.body.replace(b"main", b"evil").replace(b"1.4.0", b"6.6.6") + b" "))


@pytest.mark.parametrize("provider", DELIVERIES)
def test_a_request_without_signature_is_refused(provider) -> None:
    with pytest.raises(RefusedError):
        opened(provider, Request({"content-type": "application/json"}, DELIVERIES[provider].body))


def test_gitlab_may_sign_instead_of_sending_its_token() -> None:
    sent = standard(GITLAB_PUSH, identifier="f5e5", **{"x-gitlab-event": "Push Hook"})
    delivery = opened("gitlab", sent)
    assert delivery.keys == ("f5e5",)
    assert delivery.changes[0].ref == "main"
    # A token beside a signature that does not fit proves nothing: whoever forges has both headers to choose.
    forged = replace(sent, headers=dict(sent.headers) | {"x-gitlab-token": SECRET}, body=sent.body + b" ")
    with pytest.raises(RefusedError, match="webhook-signature"):
        opened("gitlab", forged)


def test_a_signed_time_that_was_changed_is_noticed() -> None:
    sent = standard(GENERIC_PUSH)
    later = NOW + timedelta(hours=1)
    moved = replace(sent, headers=dict(sent.headers) | {"webhook-timestamp": str(int(later.timestamp()))})
    with pytest.raises(RefusedError, match="does not fit"):
        opened("generic", moved, now=later)


@pytest.mark.parametrize("provider", ["github", "dockerhub", "harbor"])
def test_what_happened_days_ago_is_refused(provider) -> None:
    past = int((NOW - timedelta(days=4)).timestamp())
    sent = {
        "github": request(
            GITHUB_PUSH | {"repository": GITHUB_REPOSITORY | {"pushed_at": past}}, HUB | {"X-GitHub-Event": "push"}
        ),
        "dockerhub": request(
            DOCKERHUB_PUSH | {"push_data": {"pushed_at": past, "tag": "latest"}}, {}, path_token=SECRET
        ),
        "harbor": request(HARBOR_PUSH | {"occur_at": past}, {"Authorization": SECRET}),
    }[provider]
    with pytest.raises(RefusedError, match="it tells of what happened at 2026-11-21"):
        opened(provider, sent)


def test_a_delivery_of_github_is_known_again_by_its_body_too() -> None:
    # The identifier is not signed: whoever replays a delivery can choose another one.
    first = opened("github", DELIVERIES["github"])
    replayed = replace(DELIVERIES["github"], headers=dict(DELIVERIES["github"].headers) | {"x-github-delivery": "new"})
    assert set(first.keys) & set(opened("github", replayed).keys)
