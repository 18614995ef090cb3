"""Versions are ordered as they were released, and what a version lacks is refused by name."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coolify.api.answers import plain_text
from coolify.api.capabilities import MINIMUM, Capabilities, CoolifyVersion, Feature
from coolify.api.errors import UnsupportedVersionError
from coolify.api.settings import ApplicationSettings

RELEASED = (
    "4.0.0-beta.307",
    "4.0.0-beta.420",
    "4.0.0-beta.420.7",
    "4.0.0-beta.421",
    "4.0.0",
    "4.1.2",
    "4.2.0",
    "4.10.0",
)


def test_betas_sort_below_their_release_and_numbers_as_numbers() -> None:
    mixed = RELEASED[::-1]
    assert sorted(mixed, key=CoolifyVersion) == list(RELEASED)


@given(st.lists(st.sampled_from(RELEASED), min_size=2, max_size=2))
def test_order_and_equality_agree(pair) -> None:
    one, other = (CoolifyVersion(text) for text in pair)
    assert (one == other) == (pair[0] == pair[1])
    assert (hash(one) == hash(other)) >= (one == other)
    assert (one < other) + (one == other) + (one > other) == 1


@pytest.mark.parametrize("text", ["", "<html>", "four", "4.3"])
def test_what_is_no_version_points_at_the_address(text) -> None:
    with pytest.raises(UnsupportedVersionError, match="check that the address is Coolify's own"):
        CoolifyVersion(text)


def test_a_prefix_is_not_part_of_the_version() -> None:
    assert str(CoolifyVersion(" v4.3.11\n")) == "4.3.11"


@pytest.mark.parametrize("feature", list(Feature))
def test_a_feature_is_there_from_its_first_version_on(feature) -> None:
    Capabilities(feature.since).require(feature)
    older = Capabilities(MINIMUM)
    assert not older.supports(feature)
    with pytest.raises(UnsupportedVersionError, match=re.escape(f"lacks {feature.title}: it needs {feature.since}")):
        older.require(feature)


def test_a_server_that_is_too_old_is_refused() -> None:
    with pytest.raises(UnsupportedVersionError, match=r"4\.0\.0-beta\.420 is too old"):
        Capabilities(CoolifyVersion("4.0.0-beta.420"))


def test_only_what_was_set_is_sent() -> None:
    settings = ApplicationSettings(name="shop", description=None, custom_labels="a=b", noindex_domains=("x.test",))
    assert settings.body(Capabilities(CoolifyVersion("4.3.11"))) == {
        "custom_labels": "YT1i",
        "description": None,
        "name": "shop",
        "noindex_domains": ["x.test"],
    }


@pytest.mark.parametrize(
    ("settings", "version"),
    [
        (ApplicationSettings(noindex_domains=("x.test",)), "4.2.0"),
        (ApplicationSettings(docker_images_to_keep=2), "4.1.2"),
        (ApplicationSettings(build_pack="railpack"), "4.0.0"),
    ],
)
def test_a_field_that_the_server_would_refuse_is_not_sent(settings, version) -> None:
    with pytest.raises(UnsupportedVersionError):
        settings.body(Capabilities(CoolifyVersion(version)))


@pytest.mark.parametrize("stored", ["YT1iCmM9ZA==", "a=b\nc=d"])
def test_labels_are_read_in_both_forms(stored) -> None:
    assert plain_text(stored) == "a=b\nc=d"
