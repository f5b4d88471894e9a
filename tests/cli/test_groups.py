"""Groups of options: Typer sees their options, the verb gets the group."""

from dataclasses import dataclass
from typing import Annotated

import typer
from typer.testing import CliRunner

from toolkit.cli.groups import spread
from toolkit.cli.options import ReadingOptions
from toolkit.reading import Reading


@dataclass(frozen=True)
class Size:
    width: Annotated[int, typer.Option(help="Pixels.")] = 3
    height: Annotated[int, typer.Option("--tall", help="Pixels.")] = 4


def draw(*, name: str, size: Size, colour: Annotated[str, typer.Option()] = "red") -> None:
    typer.echo(f"{name} {size} {colour}")


def call(*arguments: str) -> str:
    app = typer.Typer(add_completion=False)
    app.command()(spread(draw))
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return result.output


def test_a_verb_is_given_a_group_made_of_its_options():
    assert call("flag", "--tall", "7", "--colour", "blue") == "flag Size(width=3, height=7) blue\n"


def test_options_of_a_group_stand_in_its_place():
    text = call("--help")
    assert text.index("--width") < text.index("--tall") < text.index("--colour")


def test_nothing_asked_of_how_data_are_read_is_nothing():
    assert ReadingOptions().asked is None
    assert ReadingOptions(window=128).asked == Reading(window=128)
