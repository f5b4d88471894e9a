"""``toolkit train``."""

import dataclasses
import inspect

from toolkit.cli import train
from toolkit.training.recipe import Recipe


def test_its_defaults_are_those_of_the_recipe():
    """Only what was given is passed on: the help must show what is taken otherwise."""
    defaults = {name: parameter.default for name, parameter in inspect.signature(train.command).parameters.items()}
    written = {field.name: field.default for field in dataclasses.fields(Recipe)}
    assert {name: defaults[name] for name in written} == written
