"""Ask the operator at the terminal."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Final

from rich.console import Console
from rich.markup import escape

from coolify.asking import Answer, Asker, Question
from coolify.whoami import this_operator

__all__ = ["terminal_asker"]

_INVALID: Final = "That is none of the numbers."


def terminal_asker(console: Console, before: Callable[[], None]) -> Asker | None:
    """Return an asker that prompts on this terminal, None where there is none to prompt on.

    Args:
        console: Where to print.
        before: Called before every prompt, to clear what moves on the terminal.
    """
    if not (sys.stdin.isatty() and console.is_terminal):
        return None

    async def asker(question: Question) -> Answer:
        before()
        return await _ask(console, question)

    return asker


async def _ask(console: Console, question: Question) -> Answer:
    decision = question.decision
    available = [option for option in decision.options if option.id not in question.unavailable]
    console.print(f"\n[magenta bold]{escape(decision.question)}[/]\n{escape(question.evidence)}", highlight=False)
    for number, option in enumerate(available, 1):
        default = " [dim](default)[/]" if option.id == decision.default else ""
        console.print(f"  {number}  [bold]{escape(option.label)}[/]{default}: {escape(option.consequence)}")
    for option_id, reason in question.unavailable.items():
        console.print(f"  -  [dim]{escape(decision.option(option_id).label)}: not possible, {escape(reason)}[/]")
    minutes = decision.timeout_seconds / 60
    console.print(f"Number, or Enter for the default ({minutes:.0f} minutes to answer): ", end="")
    try:
        async with asyncio.timeout(decision.timeout_seconds):
            while True:
                line = (await _read_line()).strip()
                if not line:
                    return Answer(decision.default, who=this_operator())
                if line.isdigit() and 1 <= int(line) <= len(available):
                    return Answer(available[int(line) - 1].id, who=this_operator())
                console.print(f"{_INVALID} Number: ", end="")
    except TimeoutError:
        console.print()
        return Answer(timed_out=True)


async def _read_line() -> str:
    """Wait for a line without blocking the loop, so that leases are renewed and Ctrl-C works meanwhile."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(sys.stdin, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(sys.stdin)
    return sys.stdin.readline()
