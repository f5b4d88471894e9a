"""The wheel of the running toolkit: pip takes it, and it makes the same one again."""

import base64
import csv
import hashlib
import io
import os
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

import toolkit
from toolkit.errors import UsageError
from toolkit.wheels import own

ROOT = Path(toolkit.__file__).parent


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return own.build_wheel(tmp_path_factory.mktemp("wheel"))


def test_a_wheel_holds_the_package_and_what_describes_it(built):
    assert built.name == f"edge_model_toolkit-{toolkit.__version__}-py3-none-any.whl"
    names = zipfile.ZipFile(built).namelist()
    package = {name for name in names if name.startswith("toolkit/")}
    assert package == {f"toolkit/{path.relative_to(ROOT)}" for path in ROOT.rglob("*.py")} | {
        "toolkit/bench/instructions/plugin.c",
        "toolkit/py.typed",
        "toolkit/constraints.txt",
        "toolkit/wheels/SHA256SUMS",
    }
    described = {name.partition("/")[2] for name in set(names) - package}
    assert described == {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}


def test_the_record_of_a_wheel_has_the_digest_and_size_of_every_file(built):
    with zipfile.ZipFile(built) as archive:
        (record,) = (name for name in archive.namelist() if name.endswith("/RECORD"))
        rows = list(csv.reader(io.StringIO(archive.read(record).decode())))
        assert sorted(path for path, _, _ in rows) == sorted(archive.namelist())
        for path, digest, size in rows:
            content = archive.read(path)
            expected = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
            assert (digest, size) == (("", "") if path == record else (f"sha256={expected}", str(len(content))))


@pytest.mark.slow
def test_a_toolkit_that_pip_installed_from_the_wheel_makes_the_same_wheel(built, tmp_path):
    """Nothing of the checkout is left: the package and its metadata are those that pip unpacked."""
    target = tmp_path / "site"
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-compile")
    subprocess.run([*pip, "--disable-pip-version-check", "--target", target, built], check=True)
    (tmp_path / "again").mkdir()
    script = (
        "from pathlib import Path\nimport toolkit\nfrom toolkit.wheels.own import build_wheel\n"
        "print(toolkit.__file__)\nprint(build_wheel(Path('again')))"
    )
    environment = {**os.environ, "PYTHONPATH": str(target)}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    imported, again = done.stdout.split()
    assert imported == str(target / "toolkit" / "__init__.py")
    assert (tmp_path / again).read_bytes() == built.read_bytes()


def test_a_toolkit_that_was_not_installed_says_what_to_do(tmp_path, monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", missing)
    with pytest.raises(UsageError, match="that was not installed; install it, from a checkout: pip install"):
        own.build_wheel(tmp_path)


def test_a_toolkit_that_was_installed_as_another_version_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(own, "__version__", "9.9")
    with pytest.raises(UsageError, match=r"toolkit 9\.9 is installed as "):
        own.build_wheel(tmp_path)
