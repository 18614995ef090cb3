"""Every recorded request, sent to the sandbox: what comes back has to be what came back."""

import pytest

from tests.contract.known_differences import KNOWN, reason_for
from tests.contract.replay import before, compare, files, load, open_world, prepare

MUST_MATCH = 0.95
TITLE = "answers of the sandbox and of a recorded Coolify"
matched: dict[str, tuple[int, int, int]] = {}
"""File -> matched, known to differ, all."""


@pytest.mark.parametrize("file", files())
async def test_the_sandbox_answers_as_recorded(file, tmp_path, table) -> None:
    world = open_world(tmp_path / "coolify.sqlite", file)
    exchanges = load(file)
    await prepare(world, exchanges)
    differing: dict[str, list[str]] = {}
    for exchange in exchanges:
        await before(world, exchange)
        answer = await world.ask(exchange)
        found = compare(world, exchange, answer)
        if found:
            differing[exchange.key] = found
        if exchange.is_json and "json" in answer.headers.get("content-type", ""):
            world.learn(exchange.body, answer.json())
    known = {key for key in differing if reason_for(key)}
    matched[file] = (len(exchanges) - len(differing), len(known), len(exchanges))
    table(TITLE, f"{file:<18}{len(exchanges) - len(differing):>4} of {len(exchanges):>3} match, {len(known):>2} known")
    assert {key: found for key, found in differing.items() if key not in known} == {}
    assert not (stale(file) - known), "these match now: take them off the list of known differences"


def stale(file: str) -> set[str]:
    return {key for key in KNOWN if key.partition(":")[0] == file and not key.endswith(":*")}


def test_enough_of_all_recorded_answers_match(table) -> None:
    if set(matched) != set(files()):
        pytest.skip("only with all files")
    good, total = sum(one[0] for one in matched.values()), sum(one[2] for one in matched.values())
    table(TITLE, f"{'all':<18}{good:>4} of {total:>3} match ({good / total:.1%})")
    assert good / total >= MUST_MATCH
