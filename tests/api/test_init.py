"""The Python API: what it exports, what it returns, and that it prints nothing."""

import dataclasses
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import toolkit
from toolkit import api
from toolkit.bench.plan import Plan, PlanOptions
from toolkit.study.grid import Grid, GridOptions
from toolkit.training.recipe import Recipe, RecipeOptions


def test_all_names_what_is_there():
    there = {
        name
        for name, value in vars(api).items()
        if not name.startswith("_")
        and (getattr(value, "__module__", "").startswith("toolkit") or type(value) is type(Path()))
    }
    assert api.__all__ == sorted(there - {"OnStep", "ignore"})


def test_toolkit_has_the_names_that_no_folder_of_it_has():
    folders = {module.name for module in pkgutil.iter_modules(toolkit.__path__)}
    assert toolkit.__all__ == [name for name in api.__all__ if name not in folders]
    for name in toolkit.__all__:
        assert getattr(toolkit, name) is getattr(api, name)
    with pytest.raises(AttributeError, match="no attribute 'fly'"):
        toolkit.fly  # noqa: B018 — the look itself is what is tested


def test_importing_it_loads_no_framework():
    script = "import sys; from toolkit import api, verify; print({'numpy', 'tensorflow'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize(
    ("options", "whole", "without"),
    [(RecipeOptions, Recipe, {"model"}), (PlanOptions, Plan, set()), (GridOptions, Grid, set())],
)
def test_options_are_the_fields_of_what_they_make(options, whole, without):
    assert set(options.__annotations__) == {field.name for field in dataclasses.fields(whole)} - without


def test_a_warning_names_the_line_that_called(exported_once, monkeypatch):
    monkeypatch.setattr("toolkit.parity.verify.installed", lambda runtime: runtime != "keras")
    with pytest.warns(api.ToolkitWarning, match="TensorFlow is not installed") as caught:
        api.verify(exported_once / "cnn-int8.tflite")
    assert [warning.filename for warning in caught] == [__file__]
