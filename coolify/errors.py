"""The root of all errors that are meant for an operator."""

from __future__ import annotations

from typing import ClassVar

__all__ = ["OperatorError"]


class OperatorError(Exception):
    """An error whose text tells an operator what failed, on what, and what to do; it holds no secret.

    Everything else that is raised is a defect of this program and keeps its traceback.
    """

    is_usage: ClassVar[bool] = False
    """Whether the call or the configuration is wrong, rather than the world: exit code 2 instead of 1."""
