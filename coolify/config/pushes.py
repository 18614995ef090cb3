"""Section `release.on_push`: which pushes start a release."""

from typing import Annotated

from pydantic import Field

from coolify.config.base import Section

__all__ = ["OnPush"]

Pattern = Annotated[str, Field(pattern=r"^!?[^!\s][^\n]*$", max_length=255)]


class OnPush(Section):
    """Which pushes that the receiver tells of start a release; one of the source's image always counts."""

    branch: bool = True
    """Whether a push to `source.branch` starts a release."""
    tags: tuple[Pattern, ...] = ()
    """Tags whose push starts a release of that tag, as in `v*`: commit or image. A release without a push goes back to
    what `source` names."""
    paths: tuple[Pattern, ...] = ()
    """Files or directories, as in `apps/shop`, `*.toml` or `!docs/**`, one of which a push to the branch must change.
    Bitbucket, and hosts after a forced push, do not tell what was changed: that releases."""
