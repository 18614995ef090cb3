"""A creation whose answer was lost: look first, send again only when nothing is there."""

import pytest

from coolify.api.errors import AnswerLostError, ValidationFailedError
from coolify.api.reconcile import create_once

LOST = AnswerLostError("lost")


def scripted(calls: list[str], name: str, *steps):
    remaining = list(steps)

    async def step():
        calls.append(name)
        result = remaining.pop(0)
        if isinstance(result, Exception):
            raise result
        return result

    return step


@pytest.mark.parametrize(
    ("sent", "found", "order"),
    [
        (("new",), (), ["send"]),
        ((LOST,), ("new",), ["send", "find"]),
        ((LOST, "new"), (None,), ["send", "find", "send"]),
        ((LOST, LOST), (None, "new"), ["send", "find", "send", "find"]),
    ],
)
async def test_the_object_exists_once(sent, found, order) -> None:
    calls: list[str] = []
    assert await create_once(scripted(calls, "send", *sent), scripted(calls, "find", *found)) == "new"
    assert calls == order


async def test_two_lost_answers_and_nothing_there_is_an_error() -> None:
    calls: list[str] = []
    with pytest.raises(AnswerLostError):
        await create_once(scripted(calls, "send", LOST, LOST), scripted(calls, "find", None, None))
    assert calls == ["send", "find", "send", "find"]


async def test_a_refusal_is_not_looked_for() -> None:
    calls: list[str] = []
    refused = ValidationFailedError(status=422, message="Validation failed.", method="POST", path="/projects")
    with pytest.raises(ValidationFailedError):
        await create_once(scripted(calls, "send", refused), scripted(calls, "find"))
    assert calls == ["send"]
