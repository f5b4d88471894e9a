"""``toolkit device``: what is done on devices over SSH, side by side."""

import typer

from toolkit.cli.device import bench, verify
from toolkit.cli.groups import spread
from toolkit.cli.panels import PanelCommand, PanelGroup

app = typer.Typer(cls=PanelGroup, help="Time or verify artifacts on devices over SSH, side by side.")
app.command("bench", cls=PanelCommand)(spread(bench.command))
app.command("verify", cls=PanelCommand)(spread(verify.command))
