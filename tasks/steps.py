"""Steps: the tasks of Prefect, as this project declares them."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from prefect import Task, task
from prefect.cache_policies import NO_CACHE

__all__ = ["step"]

P = ParamSpec("P")
R = TypeVar("R")


def step(name: str, *, run_name: str = "") -> Callable[[Callable[P, R]], Task[P, R]]:
    """Declare a step, whose result never comes from a cache: servers change, whoever changed them.

    Args:
        name: What it does, in words.
        run_name: Name of a run, with parameters in braces; `name` without it, instead of one with random letters.
    """
    return task(name=name, task_run_name=run_name or name, cache_policy=NO_CACHE)
