"""What is fixed when an application is created, and is told before a release fails of it."""

from typing import Any

import pytest

from coolify.api import Application
from coolify.api.git_apps import GitApp
from coolify.api.models import PrivateKey
from coolify.config import Source
from coolify.finding import Severity
from coolify.source.origin import judge_origin

GIT = Source(repository="https://github.com/example/shop")
IMAGE = Source(image="ghcr.io/example/shop")
KEY = PrivateKey(uuid="k" * 24, name="deploy key", id=7)
APP = GitApp(id=3, name="our-app")


def application(**raw: Any) -> Application:
    fields = {"uuid": "a" * 24, "name": "shop", "build_pack": "nixpacks"} | raw
    return Application.model_validate({**fields, "raw": fields})


def found(source: Source, raw: dict[str, Any] | None, key: PrivateKey | None = None, app: GitApp | None = None) -> Any:
    return [
        (one.name, one.severity) for one in judge_origin(source, None if raw is None else application(**raw), key, app)
    ]


@pytest.mark.parametrize(
    ("source", "raw", "key", "app"),
    [
        (GIT, None, KEY, None),
        (GIT, {}, None, None),
        (IMAGE, {"build_pack": "dockerimage"}, None, None),
        (GIT, {"private_key_id": 7}, KEY, None),
        # Hidden from a token without read:sensitive: nobody knows.
        (GIT, {}, KEY, None),
        (GIT, {"source_id": 3}, None, APP),
    ],
)
def test_what_fits_is_not_spoken_of(
    source: Source, raw: dict[str, Any] | None, key: PrivateKey | None, app: GitApp | None
) -> None:
    assert found(source, raw, key, app) == []


@pytest.mark.parametrize(
    ("source", "raw", "key", "app", "expected"),
    [
        (IMAGE, {}, None, None, ("source-kind-differs", Severity.ERROR)),
        (GIT, {"build_pack": "dockerimage"}, None, None, ("source-kind-differs", Severity.ERROR)),
        (GIT, {"private_key_id": None}, KEY, None, ("source-key-differs", Severity.ERROR)),
        (GIT, {"private_key_id": 8}, KEY, None, ("source-key-differs", Severity.WARNING)),
        (GIT, {"source_id": 0}, None, APP, ("source-app-differs", Severity.ERROR)),
    ],
)
def test_what_the_api_cannot_change_is_told(
    source: Source,
    raw: dict[str, Any],
    key: PrivateKey | None,
    app: GitApp | None,
    expected: tuple[str, Severity],
) -> None:
    assert found(source, raw, key, app) == [expected]
