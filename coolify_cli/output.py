"""How results are printed: JSON for programs, colours and tables for people."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from coolify.finding import Finding

__all__ = ["facts", "make_table", "print_findings", "print_json", "stdout_console"]


def print_json(payload: Any) -> None:  # noqa: ANN401 - JSON
    """Write JSON and a line break to standard output."""
    sys.stdout.write(json.dumps(payload, indent=2, ensure_ascii=False, default=str) + "\n")


def stdout_console() -> Console:
    """Return the console of standard output; without colours where it is no terminal or NO_COLOR is set."""
    from rich.console import Console

    return Console()


def make_table(*columns: str, rows: Iterable[Sequence[str]]) -> Table:
    """Return a table of plain texts."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    return table


def facts(console: Console, pairs: Iterable[tuple[str, str]]) -> None:
    """Print labels and values, those without value left out."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(show_header=False, box=None, padding=(0, 1))
    for label, value in pairs:
        if value:
            table.add_row(f"[dim]{escape(label)}[/]", escape(value))
    console.print(table)


def print_findings(console: Console, findings: Iterable[Finding]) -> None:
    """Print findings with what was seen and what to do."""
    from rich.markup import escape

    from coolify_cli.console import SEVERITY_STYLES

    for finding in findings:
        style, symbol = SEVERITY_STYLES[finding.severity]
        console.print(f"[{style}]{symbol} {escape(finding.summary)}[/]", highlight=False)
        for line in finding.evidence:
            console.print(f"    [dim]{escape(line)}[/]", highlight=False)
        if finding.remedy:
            console.print(f"    {escape(finding.remedy)}", highlight=False)
