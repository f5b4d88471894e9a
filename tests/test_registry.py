import os
import subprocess
import sys
from pathlib import Path

import pytest

from toolkit import extras, registry, runtimes
from toolkit.errors import MissingExtraError, UsageError
from toolkit.runtimes.base import RuntimeModule


def test_names_are_the_files_of_the_folder():
    assert registry.names("toolkit.data") == (
        "fashion-mnist",
        "folder",
        "idx",
        "mnist",
        "npz",
        "recordings",
        "sample",
        "sound",
        "table",
    )
    assert registry.names("toolkit.runtimes") == ("keras", "litert", "onnxruntime", "tflm")


def test_a_folder_is_read_once_a_process(monkeypatch):
    before = registry.names("toolkit.runtimes")
    monkeypatch.setattr("pkgutil.iter_modules", lambda *_: pytest.fail("was read again"))
    assert registry.names("toolkit.runtimes") == before


def test_an_unknown_member_names_the_allowed_ones():
    with pytest.raises(UsageError, match="unknown model 'resnet'; allowed: cnn, mlp"):
        registry.member("toolkit.models", "resnet", kind="model")


def test_the_shared_module_is_no_member():
    with pytest.raises(UsageError):
        registry.member("toolkit.runtimes", "base", kind="runtime")


def test_a_missing_package_names_the_extra(monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"ai_edge_litert is not installed; .*\[litert\]'"):
        extras.load("ai_edge_litert.interpreter")


def test_native_and_buffered_output_goes_to_the_log(tmp_path):
    log = tmp_path / "log"
    script = f"""
import os
from pathlib import Path
from toolkit.extras import streams_to
print("before")
with streams_to(Path({str(log)!r})):
    print("python")
    os.write(2, b"native\\n")
print("after")
"""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert sorted(log.read_text().split()) == ["native", "python"]
    assert (done.stdout, done.stderr) == ("before\nafter\n", "")


def _forget():
    registry._added.cache_clear()
    registry._any_added.cache_clear()


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Make a package look installed that has these entry points and one module of this content."""

    def install(group, name, content, *, value="plugged_in"):
        folder = tmp_path / "site"
        metadata = folder / "plug_in-1.0.dist-info"
        metadata.mkdir(parents=True)
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: plug-in\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text(f"[{group}]\n{name} = {value}\n")
        (folder / "plugged_in.py").write_text(content)
        monkeypatch.syspath_prepend(str(folder))
        _forget()

    yield install
    monkeypatch.undo()
    _forget()
    sys.modules.pop("plugged_in", None)


@pytest.mark.parametrize(
    ("package", "group"),
    [
        ("toolkit.models", "toolkit.models"),
        ("toolkit.data", "toolkit.data"),
        ("toolkit.export.formats", "toolkit.formats"),
        ("toolkit.runtimes", "toolkit.runtimes"),
    ],
)
def test_an_installed_package_adds_a_member(installed, package, group):
    before = registry.names(package)
    folder = group.partition(".")[2]
    needed = (*registry.NEEDED[folder], *registry.EITHER.get(folder, [()])[-1])
    installed(group, "added", "".join(f"{name} = 'from outside'\n" for name in needed))
    assert registry.names(package) == (*before, "added")
    assert getattr(registry.member(package, "added", kind="member"), needed[0]) == "from outside"


def test_a_package_adds_to_no_other_folder(installed):
    installed("toolkit.charts", "added", "")
    assert "added" not in (*registry.names("toolkit.study.charts"), *registry.names("toolkit.search.charts"))


@pytest.mark.parametrize("package", ["toolkit.models", "toolkit.data", "toolkit.runtimes", "toolkit.export.formats"])
def test_the_own_members_have_what_others_must_have(package):
    for name in registry.names(package):
        assert registry.missing(registry.member(package, name, kind="member"), package) == []


def test_a_runtime_must_have_all_that_is_called_of_it():
    protocol = {*vars(RuntimeModule), *RuntimeModule.__annotations__}
    assert {*registry.NEEDED["runtimes"]} == {name for name in protocol if not name.startswith("_")}


@pytest.mark.parametrize(
    ("package", "group", "lacking"),
    [
        ("toolkit.data", "toolkit.data", "lacks load, locate with fetch or recognises with READS; add"),
        ("toolkit.export.formats", "toolkit.formats", "lacks SUFFIX, MADE_FROM, QUANTIZATIONS, convert or derive; add"),
    ],
)
def test_of_what_a_member_may_have_it_must_have_one(installed, package, group, lacking):
    installed(group, "added", "SUMMARY, locate, READS = 'some', None, ()")
    with pytest.raises(UsageError, match=lacking):
        registry.member(package, "added", kind="member")


def test_a_runtime_of_another_package_takes_no_files_over(installed):
    """Whatever its name: figures must not come from another runtime because somebody has installed a package."""
    others = "".join(f"{name} = None\n" for name in registry.NEEDED["runtimes"])
    installed("toolkit.runtimes", "added", f"{others}SUFFIXES = ('.own', '.tflite')")
    assert runtimes.for_file(Path("a.tflite")) == "litert"
    assert runtimes.for_file(Path("a.own")) == "added"


@pytest.mark.parametrize(
    ("name", "content", "value", "message"),
    [
        ("cnn", "", "plugged_in", "the package 'plug-in' adds a model 'cnn', which toolkit has; uninstall it"),
        ("wide", "1 / 0", "plugged_in", "the model 'wide' of the package 'plug-in' cannot be imported: ZeroDivision"),
        (
            "wide",
            "import sys; sys.exit(3)",
            "plugged_in",
            "'wide' of the package 'plug-in' cannot be imported: SystemEx",
        ),
        (
            "wide",
            "x = 3",
            "plugged_in",
            "'wide' of the package 'plug-in' lacks build; add what is missing, or uninstall the package",
        ),
        ("wide", "x = 3", "plugged_in:x", "of the package 'plug-in' is 'plugged_in:x', which is no module"),
    ],
)
def test_a_package_that_adds_nothing_right_is_named(installed, name, content, value, message):
    installed("toolkit.models", name, content, value=value)
    with pytest.raises(UsageError, match=message):
        registry.member("toolkit.models", name, kind="model")


def test_a_file_of_the_user_s_is_a_module_that_runs_once_and_sees_what_lies_beside_it(tmp_path):
    (tmp_path / "beside_it.py").write_text("x = 3")
    (tmp_path / "user_file.py").write_text("from beside_it import x\nruns = [x]")
    try:
        module = registry.from_file(tmp_path / "user_file.py")
        assert module.runs == [3]
        assert registry.from_file(tmp_path / "user_file.py") is module
        assert str(tmp_path) not in sys.path
    finally:
        for name in ("user_file", "beside_it"):
            sys.modules.pop(name, None)


def test_a_file_that_is_none_or_whose_name_is_taken_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no such file; give a Python file"):
        registry.from_file(tmp_path / "nothing.py")
    (tmp_path / "json.py").write_text("\n")
    with pytest.raises(UsageError, match=r"json\.py: a module is called 'json' already; rename the file"):
        registry.from_file(tmp_path / "json.py")
    (tmp_path / "layers.txt").write_text("\n")
    with pytest.raises(UsageError, match=r"its name must end in \.py"):
        registry.from_file(tmp_path / "layers.txt")
