"""Deliveries as the providers document them, reduced to the fields that say something about a push."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime

from coolify.webhooks import Request

SECRET = "It's a Secret to Everybody"
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
PUSHED = int(NOW.timestamp()) - 60
ZEROS = "0" * 40
OLD, NEW, TAG_OBJECT = "1" * 40, "2" * 40, "3" * 40


def digest(body: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def request(payload, headers, *, path_token="", secret=SECRET) -> Request:
    """Sign a payload; `{digest}` in a header becomes the HMAC of the body."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    signed = {name.lower(): value.format(digest=digest(body, secret)) for name, value in headers.items()}
    return Request({"content-type": "application/json"} | signed, body, path_token)


def standard(payload, *, secret=SECRET, at=NOW, identifier="msg_1", **headers) -> Request:
    """Sign as Standard Webhooks says."""
    body = json.dumps(payload).encode()
    stamp = str(int(at.timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_")) if secret.startswith("whsec_") else secret.encode()
    mac = hmac.new(key, f"{identifier}.{stamp}.".encode() + body, hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(mac).decode()}"
    signed = {"webhook-id": identifier, "webhook-timestamp": stamp, "webhook-signature": signature}
    return Request({"content-type": "application/json"} | signed | headers, body)


COMMIT = {
    "id": NEW,
    "message": "Sell hats\n\nAnd scarves.",
    "added": ["apps/shop/hats.py"],
    "removed": [],
    "modified": ["README.md"],
}
GITHUB_REPOSITORY = {
    "id": 186853002,
    "full_name": "Codertocat/Hello-World",
    "html_url": "https://github.com/Codertocat/Hello-World",
    "clone_url": "https://github.com/Codertocat/Hello-World.git",
    "ssh_url": "git@github.com:Codertocat/Hello-World.git",
    "pushed_at": PUSHED,
}
GITHUB_PUSH = {
    "ref": "refs/heads/main",
    "before": OLD,
    "after": NEW,
    "created": False,
    "deleted": False,
    "forced": False,
    "commits": [COMMIT],
    "head_commit": COMMIT,
    "repository": GITHUB_REPOSITORY,
    "sender": {"login": "Codertocat", "id": 21031067},
}
GITHUB_RELEASE = {
    "action": "published",
    "release": {"tag_name": "v1.0.0", "name": "First", "draft": False, "published_at": "2026-11-25T11:59:00Z"},
    "repository": GITHUB_REPOSITORY | {"pushed_at": "2026-11-25T11:59:00Z"},
    "sender": {"login": "Codertocat"},
}
GITHUB_PACKAGE = {
    "action": "published",
    "registry_package": {
        "name": "hello-world",
        "ecosystem": "CONTAINER",
        "package_version": {
            "container_metadata": {"tag": {"name": "1.4.0", "digest": "sha256:6c62"}},
            "package_url": "ghcr.io/Codertocat/hello-world:1.4.0",
        },
    },
    "repository": GITHUB_REPOSITORY,
    "sender": {"login": "Codertocat"},
}
GITLAB_PROJECT = {
    "path_with_namespace": "mike/diaspora",
    "web_url": "https://gitlab.example.com/mike/diaspora",
    "git_http_url": "https://gitlab.example.com/mike/diaspora.git",
    "git_ssh_url": "git@gitlab.example.com:mike/diaspora.git",
}
GITLAB_PUSH = {
    "object_kind": "push",
    "before": OLD,
    "after": NEW,
    "ref": "refs/heads/main",
    "checkout_sha": NEW,
    "user_username": "jsmith",
    "project": GITLAB_PROJECT,
    "commits": [{**COMMIT, "id": OLD, "message": "First"}, COMMIT],
    "total_commits_count": 2,
}
GITLAB_TAG = {
    "object_kind": "tag_push",
    "before": ZEROS,
    "after": TAG_OBJECT,
    "ref": "refs/tags/v1.0.0",
    "checkout_sha": NEW,
    "message": "Tag v1.0.0",
    "user_username": "jsmith",
    "project": GITLAB_PROJECT,
    "commits": [],
    "total_commits_count": 0,
}
BITBUCKET_PUSH = {
    "actor": {"display_name": "Emma", "nickname": "emmap1"},
    "repository": {
        "full_name": "team_name/repo_name",
        "links": {"html": {"href": "https://bitbucket.org/team_name/repo_name"}},
    },
    "push": {
        "changes": [
            {
                "new": {"type": "branch", "name": "main", "target": {"hash": NEW, "message": "Sell hats\n"}},
                "old": {"type": "branch", "name": "main", "target": {"hash": OLD, "message": "First\n"}},
                "truncated": False,
            },
            {"new": {"type": "tag", "name": "v1.0.0", "target": {"hash": NEW, "message": "Sell hats\n"}}, "old": None},
            {"new": None, "old": {"type": "branch", "name": "gone", "target": {"hash": OLD, "message": "x"}}},
        ]
    },
}
GITEA_PUSH = {
    "ref": "refs/heads/develop",
    "before": OLD,
    "after": NEW,
    "commits": [COMMIT],
    "total_commits": 1,
    "head_commit": COMMIT,
    "repository": {
        "full_name": "gitea/webhooks",
        "html_url": "http://localhost:3000/gitea/webhooks",
        "clone_url": "http://localhost:3000/gitea/webhooks.git",
        "ssh_url": "ssh://gitea@localhost:2222/gitea/webhooks.git",
    },
    "pusher": {"login": "gitea", "username": "gitea"},
}
DOCKERHUB_PUSH = {
    "callback_url": "https://registry.hub.docker.com/u/svendowideit/testhook/hook/2141b5bi5i5b02bec211i4eeih0242eg/",
    "push_data": {"pushed_at": PUSHED, "pusher": "trustedbuilder", "tag": "latest"},
    "repository": {"repo_name": "svendowideit/testhook", "namespace": "svendowideit", "name": "testhook"},
}
HARBOR_PUSH = {
    "type": "PUSH_ARTIFACT",
    "occur_at": PUSHED,
    "operator": "admin",
    "event_data": {
        "resources": [
            {
                "digest": "sha256:8a9e",
                "tag": "bullseye",
                "resource_url": "harbor.example.com/test-webhook/debian:bullseye",
            }
        ],
        "repository": {"repo_full_name": "test-webhook/debian", "repo_type": "private"},
    },
}
GENERIC_PUSH = {"id": "build 4711", "kind": "image", "addresses": ["ghcr.io/example/shop"], "ref": "1.4.0"}

HUB = {"X-Hub-Signature-256": "sha256={digest}"}
DELIVERIES = {
    "github": request(GITHUB_PUSH, HUB | {"X-GitHub-Event": "push", "X-GitHub-Delivery": "72d3162e-cc78"}),
    "gitlab": request(
        GITLAB_PUSH, {"X-Gitlab-Event": "Push Hook", "X-Gitlab-Token": SECRET, "Idempotency-Key": "f5e5"}
    ),
    "bitbucket": request(
        BITBUCKET_PUSH,
        {"X-Hub-Signature": "sha256={digest}", "X-Event-Key": "repo:push", "X-Request-UUID": "be01"},
    ),
    "gitea": request(
        GITEA_PUSH, {"X-Gitea-Signature": "{digest}", "X-Gitea-Event": "push", "X-Gitea-Delivery": "f6266f16"}
    ),
    "dockerhub": request(DOCKERHUB_PUSH, {}, path_token=SECRET),
    "harbor": request(HARBOR_PUSH, {"Authorization": SECRET}),
    "generic": request(GENERIC_PUSH, HUB),
}
"""One genuine delivery of each provider."""
