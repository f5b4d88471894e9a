"""The tests mirror the house: whoever knows where a module is knows where its tests are."""

from pathlib import Path

import toolkit

TOOLKIT = Path(toolkit.__file__).parent
TESTS = Path(__file__).parent
# Folders of what holds for every input, and of what tests, pages and measurements are made with.
OF_TESTS_ALONE = {"benchmarks", "cpus", "fuzz", "kill", "properties", "statements", "stored", "tasks"}


def packages(folder: Path) -> set[str]:
    return {path.parent.name for path in folder.glob("*/__init__.py")}


def named(folder: Path, name: str) -> list[Path]:
    """Modules and packages of a name, at any depth below a folder."""
    found = (path for path in folder.rglob("*.py") if path != folder / "__init__.py")
    return [path for path in found if name == (path.parent.name if is_init(path) else path.stem)]


def is_init(path: Path) -> bool:
    return path.stem == "__init__"


def test_every_package_has_a_folder_of_tests_or_a_file_and_no_other_folder_is_there():
    assert packages(TESTS) - packages(TOOLKIT) == OF_TESTS_ALONE
    untested = packages(TOOLKIT) - packages(TESTS)
    assert {name for name in untested if not (TESTS / f"test_{name}.py").is_file()} == set()


def test_a_file_named_as_a_module_of_its_package_lies_where_the_module_lies():
    astray = []
    for file in sorted(TESTS.rglob("*/test_*.py")):
        there, name = TOOLKIT / file.parent.relative_to(TESTS), file.stem.removeprefix("test_")
        found = named(there, name)
        if found and there not in {path.parent.parent if is_init(path) else path.parent for path in found}:
            astray.append(f"{file.relative_to(TESTS)} is not beside {found[0].relative_to(TOOLKIT)}")
    assert astray == []
