"""The plain help, with options and verbs under headings.

Typer draws ``rich_help_panel`` by rich alone, which takes longer to import than the whole command line.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any, ClassVar, cast

import typer
from typer.core import TyperCommand, TyperGroup

from toolkit.cli.groups import spread


class PanelCommand(TyperCommand):
    """A verb whose options stand under the headings that they name."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options."""
        _write_options(self, ctx, formatter)


class PanelGroup(TyperGroup):
    """A group whose verbs stand under the headings that they name."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write options, then verbs."""
        _write_options(self, ctx, formatter)
        self.format_commands(ctx, formatter)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the verbs, each with the first sentence of its help."""
        width = max(map(len, self.commands))
        panels: dict[str, list[tuple[str, str]]] = {}
        for name, command in self.commands.items():
            heading = getattr(command, "rich_help_panel", None) or "Commands"
            summary = command.get_short_help_str(formatter.width - width - 6)
            panels.setdefault(heading, []).append((name.ljust(width), summary))
        _write(formatter, panels)


class Modules(Mapping[str, Any]):
    """Verbs by their names, each a module of this folder that is imported when it is asked for."""

    def __init__(self, panels: dict[str, dict[str, str]]) -> None:
        self._panel_of = {verb: panel for panel, verbs in panels.items() for verb in verbs}

    def __getitem__(self, verb: str) -> TyperCommand | TyperGroup:
        return _imported(verb, self._panel_of[verb])

    def __iter__(self) -> Iterator[str]:
        return iter(self._panel_of)

    def __len__(self) -> int:
        return len(self._panel_of)


@cache
def _imported(verb: str, panel: str) -> TyperCommand | TyperGroup:
    module = import_module(f"{__package__}.{verb.replace('-', '_')}")
    own: typer.Typer | None = getattr(module, "app", None)  # of a verb that has verbs of its own
    holder = typer.Typer(cls=PanelGroup, rich_markup_mode=None)
    if own is None:
        holder.command(verb, cls=PanelCommand, rich_help_panel=panel)(spread(module.command))
    else:
        holder.add_typer(own, name=verb, rich_help_panel=panel)
    holder.callback()(lambda: None)  # without one, a single command is no group
    return cast("TyperCommand | TyperGroup", typer.main.get_group(holder).commands[verb])


class VerbGroup(PanelGroup):
    """A group whose verbs are modules. panels: by heading, the verbs with the first sentence of their help."""

    panels: ClassVar[dict[str, dict[str, str]]]

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = Modules(self.panels)  # type: ignore[assignment]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the verbs, each with the first sentence of its help."""
        width = max(map(len, self.commands))
        _write(
            formatter,
            {
                panel: [(verb.ljust(width), summary) for verb, summary in verbs.items()]
                for panel, verbs in self.panels.items()
            },
        )


def _write_options(command: TyperCommand | TyperGroup, ctx: Any, formatter: Any) -> None:
    panels: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
    for parameter in command.get_params(ctx):
        record = parameter.get_help_record(ctx)
        if record is not None:
            heading = "Arguments" if parameter.param_type_name == "argument" else "Options"
            panels.setdefault(getattr(parameter, "rich_help_panel", None) or heading, []).append(record)
    _write(formatter, panels)


def _write(formatter: Any, panels: dict[str, list[tuple[str, str]]]) -> None:
    for heading, rows in panels.items():
        if rows:
            with formatter.section(heading):
                formatter.write_dl(rows)
