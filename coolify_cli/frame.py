"""Groups that know their commands from a table, so that `--help` and completion stay fast."""

from __future__ import annotations

from importlib import import_module

import click

from coolify.suggest import nearest
from coolify_cli.tree import Branch, Leaf

__all__ = ["DeclaredGroup"]


class DeclaredGroup(click.Group):
    """A group of commands as `coolify_cli.tree` declares it; a command's module is imported when it is used."""

    def __init__(self, branch: Branch, name: str, **attributes: object) -> None:
        super().__init__(name, **{"help": branch.summary, "short_help": branch.summary} | attributes)  # type: ignore[arg-type]
        self.branch = branch

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - signature of click
        """Return the commands in the order in which they are declared."""
        return list(self.branch.children)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click
        """Return a command, imported now."""
        child = self.branch.children.get(cmd_name)
        match child:
            case None:
                return None
            case Branch():
                return DeclaredGroup(child, cmd_name)
            case Leaf(target):
                module, _, attribute = target.partition(":")
                command = getattr(import_module(f"coolify_cli.{module}"), attribute)
                if not isinstance(command, click.Command):
                    raise TypeError(f"{target} is not a command")
                return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the arguments name, with a hint where there is none."""
        name = args[0]
        if not ctx.resilient_parsing and name not in self.branch.children and not name.startswith("-"):
            hint = nearest(name, self.branch.children)
            raise click.UsageError(f"There is no command '{ctx.command_path} {name}': {hint}", ctx)
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the default command before arguments that name none."""
        default = self.branch.default
        names_none = not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names)
        if default is not None and names_none and not ctx.resilient_parsing:
            args = [default, *args]
        return super().parse_args(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click
        """Write the command table from the declared summaries."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, child.summary) for name, child in self.branch.children.items()])
