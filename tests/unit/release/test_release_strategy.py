import pytest

from coolify.release.strategy import ApplicationKind, NoWayBack, RollbackMeans, Strategy, choose_strategy

SHA = "0123456789abcdef0123456789abcdef01234567"
V43 = RollbackMeans(native=True, pin=True)
V42 = RollbackMeans(native=False, pin=True)
V41 = RollbackMeans(native=False, pin=False)


@pytest.mark.parametrize(
    ("kind", "means", "version", "strategy"),
    [
        (ApplicationKind.GIT, V43, SHA, Strategy.NATIVE),
        (ApplicationKind.GIT, V42, SHA, Strategy.PINNED_COMMIT),
        (ApplicationKind.DOCKER_IMAGE, V43, "1.27", Strategy.IMAGE_TAG),
        (ApplicationKind.DOCKER_IMAGE, V41, "1.27", Strategy.IMAGE_TAG),
    ],
)
def test_each_kind_on_each_version_has_its_strategy(kind, means, version, strategy) -> None:
    assert choose_strategy(kind, means, version) is strategy


@pytest.mark.parametrize(
    ("kind", "means", "version", "reason"),
    [
        (ApplicationKind.GIT, V41, SHA, "ignores a pinned commit"),
        (ApplicationKind.GIT, V43, "HEAD", "not a full commit sha"),
        (ApplicationKind.INLINE_DOCKERFILE, V43, "latest", "inline Dockerfile"),
    ],
)
def test_where_no_strategy_exists_the_reason_is_told(kind, means, version, reason) -> None:
    verdict = choose_strategy(kind, means, version)
    assert isinstance(verdict, NoWayBack)
    assert reason in verdict.reason
