"""The house: imports run downward, the edge part never sees TensorFlow, and the help loads nothing heavy."""

import ast
import re
import subprocess
import sys
from collections import Counter
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import toolkit

ROOT = Path(toolkit.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))
# Each floor may import from its own and from those below it.
FLOORS = [
    {"errors", "interval", "units", "text", "verdict", "rebuilt", "words", "wire", "step", "cache", "programs"},
    {
        *("registry", "extras", "constraints", "locks", "files", "archive", "wheels", "host", "console", "downloads"),
        *("images", "decoded", "photos", "reading", "digits", "drawing"),
    },
    {"convention", "portability", "entries", "manifest", "golden", "labels", "novelty", "overlap"},
    {"data", "models", "runtimes"},
    {"worker", "runs"},
    {"training", "parity", "bench", "prediction"},
    {"export", "bundle", "doctor", "remote"},
    {"selftest", "serve", "study"},
    {"search"},
    {"compress"},
    {"report"},
    {"api"},
    {"cli", "__main__"},
]
# What the command line is made of, besides what it is told by the API.
PARSES_AND_PRINTS = {"api", "cli", "console", "errors", "extras", "host", "reading", "registry", "text", "units"}
WORDS = {"toolkit.bench.statistics.describe"}
MAY_LOAD_TENSORFLOW = {"models", "training", "export", "selftest", "search", "compress"}
TRAINING_PACKAGES = ("tensorflow", "keras", "tf2onnx", "matplotlib", "mlxtend", "pooch", "onnx")
# docs/words.md has the words for what these could stand for.
SAY_NOTHING = ("found", "of", "ours", "shown", "theirs", "way")
EDGE_VERBS = ("verify", "bench", "predict", "data", "doctor")


def part_of(module: Path) -> str:
    return module.relative_to(ROOT).parts[0].removesuffix(".py")


def dotted(module: Path) -> str:
    return ".".join(("toolkit", *module.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")


def floor_of(part: str) -> int:
    return next(number for number, parts in enumerate(FLOORS) if part in parts)


@cache
def tree(module: Path) -> ast.Module:
    return ast.parse(module.read_text(encoding="utf-8"))


def imports_of(module: Path):
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_the_page_of_the_house_has_every_part_on_its_level():
    page = (ROOT.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    named: list[set[str]] = [set() for _ in FLOORS]
    for level, parts in re.findall(r"^\| (\d+) \| (.*?) \|", page, re.MULTILINE):
        named[int(level) - 1] |= {re.sub(r"/$|\.py$", "", part) for part in re.findall(r"`([^`]+)`", parts)}
    assert named == [parts - {"__main__"} for parts in FLOORS]


def test_imports_run_downward():
    upward = [
        f"{module.relative_to(ROOT)} imports {name}"
        for module in MODULES
        if module != ROOT / "__init__.py"
        for name in imports_of(module)
        if name.startswith("toolkit.") and not name.startswith("toolkit.__version__")
        if floor_of(name.split(".")[1]) > floor_of(part_of(module))
    ]
    assert upward == []


def test_the_command_line_calls_the_api_alone():
    """Of what lies below it knows types and constants, whose names have a capital, and calls no function."""
    called = [
        f"{module.relative_to(ROOT)} imports {name}"
        for module in MODULES
        if part_of(module) == "cli"
        for name in imports_of(module)
        if name.startswith("toolkit.") and name.split(".")[1] not in (*PARSES_AND_PRINTS, "__version__")
        if name.rpartition(".")[2].islower() and name not in WORDS
    ]
    assert called == []


def nodes_that_run(module: Path):
    """Yield the nodes of a module, without those that are there for types alone."""
    left: list[ast.AST] = [tree(module)]
    while left:
        node = left.pop()
        yield node
        if isinstance(node, ast.If) and getattr(node.test, "id", None) == "TYPE_CHECKING":
            left += node.orelse
        else:
            left += ast.iter_child_nodes(node)


def with_packages(name: str) -> set[str]:
    """Return a dotted name and those of the packages that it is in."""
    parts = name.split(".")
    return {".".join(parts[:length]) for length in range(1, len(parts) + 1)}


def test_no_imports_go_round_in_a_circle():
    """Neither at the top of a module nor in its functions; toolkit itself, which has the version, is left out."""
    modules = {dotted(module): module for module in MODULES if module != ROOT / "__init__.py"}
    graph = {name: set() for name in modules}
    for name, module in modules.items():
        for node in nodes_that_run(module):
            if isinstance(node, ast.ImportFrom) and node.module:
                imported = {f"{node.module}.{alias.name}" for alias in node.names}
                # A package of the module itself is there already; others are run first.
                graph[name] |= {one for part in imported for one in with_packages(part)} - with_packages(name)
        graph[name] &= set(modules)
    TopologicalSorter(graph).prepare()  # a CycleError names the circle


def test_training_packages_are_loaded_late_and_only_where_they_may_be():
    late = ("tensorflow", "keras", "tf2onnx", "onnx", "mlxtend", "pooch")
    early = {(module, name) for module in MODULES for name in imports_of(module) if name.split(".")[0] in late}
    assert early == set()
    loading = {m for m in MODULES if any(f'extras.load("{name}")' in m.read_text() for name in ("tensorflow", "keras"))}
    elsewhere = [module for module in loading if not module.is_relative_to(ROOT / "runtimes" / "keras")]
    assert {part_of(module) for module in elsewhere} <= MAY_LOAD_TENSORFLOW


def loaded_after(code: str) -> set[str]:
    """Return the modules that a fresh interpreter has loaded after running ``code``."""
    script = f"import sys\n{code}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split("\n")[-2].split())


def test_help_loads_neither_numpy_nor_tensorflow():
    loaded = loaded_after("from toolkit.cli import call\nassert call(['--help']) == 0")
    assert "typer" in loaded
    assert not loaded & {"numpy", "rich", "PIL", "onnxruntime", "ai_edge_litert", *TRAINING_PACKAGES}


def test_what_a_benchmark_counts_as_the_cold_start_looks_for_no_installed_packages():
    loaded = loaded_after("from toolkit import runtimes\nimport toolkit.bench.tasks\nruntimes.get('litert')")
    assert "toolkit.runtimes.litert" in loaded
    assert "importlib.metadata" not in loaded


@pytest.mark.slow
def test_no_edge_module_imports_tensorflow():
    edge = [
        dotted(module) for module in MODULES if part_of(module) not in MAY_LOAD_TENSORFLOW and module.stem != "__main__"
    ]
    loaded = loaded_after("import importlib\n" + "\n".join(f"importlib.import_module({name!r})" for name in edge))
    assert not loaded & {*TRAINING_PACKAGES, "onnxruntime", "ai_edge_litert"}


@pytest.mark.slow
def test_golden_verification_and_bench_load_no_tensorflow(exported_once, tmp_path):
    verify = ["verify", "--golden", str(exported_once)]
    bench = ["bench", str(exported_once / "cnn-int8.tflite"), "--seconds", "0.05", "--output", str(tmp_path)]
    code = f"from toolkit.cli import call\nassert call({verify!r}) == 0\nassert call({bench!r}) == 0"
    loaded = loaded_after(code)
    # The runtimes are loaded by workers.
    assert not loaded & {*TRAINING_PACKAGES, "onnxruntime", "ai_edge_litert"}


def test_text_files_are_utf_8_whatever_the_locale():
    nodes = ((module, node) for module in MODULES for node in ast.walk(tree(module)))
    for module, node in nodes:
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
        given = {keyword.arg for keyword in node.keywords}
        values = [a.value for a in (*node.args, *(k.value for k in node.keywords)) if isinstance(a, ast.Constant)]
        where = f"{module}:{node.lineno}"
        if name in ("read_text", "write_text") and not isinstance(node.func, ast.Name):
            assert "encoding" in given, where
        of_archive = "force_zip64" in given  # a member of a zip file has bytes alone
        if (
            name in ("open", "fdopen")
            and not of_archive
            and any(value in ("r", "w", "a", "x", "rt", "wt") for value in values)
        ):
            assert "encoding" in given, where
        assert not ({"text", "universal_newlines"} & given and name in ("run", "Popen")) or "encoding" in given, where


def test_every_module_says_what_it_is():
    assert [module for module in MODULES if not ast.get_docstring(tree(module))] == []


def names_given(module: Path):
    """Yield the names that a module gives, to functions, classes, parameters and variables, with their lines."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node.lineno


def test_nothing_has_a_name_that_does_not_say_what_it_is():
    given = [
        f"{module.relative_to(ROOT)}:{line}: {name}"
        for module in MODULES
        for name, line in names_given(module)
        if name in SAY_NOTHING
    ]
    assert given == []


def test_two_classes_never_have_one_name():
    classes = Counter(
        node.name for module in MODULES for node in ast.walk(tree(module)) if isinstance(node, ast.ClassDef)
    )
    assert [name for name, count in classes.items() if count > 1] == []
