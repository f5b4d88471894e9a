"""The list of tested wheels: that it is of the tested versions, whole, and what is made of it."""

import re
import subprocess
import sys
import zipfile
from importlib import metadata
from itertools import product

import pytest
from packaging.requirements import Requirement

from tests import wheel_digests
from toolkit import constraints
from toolkit.remote.kit import EXTRA
from toolkit.wheels import tested
from toolkit.wheels.own import DISTRIBUTION

AGAIN = "write it anew: python -m tests.wheel_digests"


def needed(distribution, extra=""):
    """The distributions that one needs on this machine, by the metadata of those that are installed."""
    found, left = set(), {(distribution, extra)}
    while left:
        name, extra = left.pop()
        if (name, extra) not in found:
            found.add((name, extra))
            for line in metadata.requires(name) or ():
                one = Requirement(line)
                if one.marker is None or one.marker.evaluate({"extra": extra}):
                    left |= {(constraints.normalized(one.name), more) for more in ("", *one.extras)}
    return {name for name, _ in found}


def test_the_list_of_wheels_is_of_the_tested_versions():
    listed = {tuple(wheel.split("-")[:2]) for wheel in tested.digests()}
    assert {
        constraints.normalized(name): version for name, version in listed
    }.items() <= constraints.tested().items(), AGAIN
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in tested.digests().values())


def test_the_list_of_wheels_has_all_that_a_device_installs():
    listed = {constraints.normalized(wheel.partition("-")[0]) for wheel in tested.digests()}
    assert listed == needed(DISTRIBUTION, EXTRA) - {DISTRIBUTION} | {tested.INSTALLER}, AGAIN


@pytest.mark.parametrize(("python", "arch"), [*product(wheel_digests.PYTHONS, tested.ARCHITECTURES)])
def test_the_list_has_one_wheel_of_each_package_for_every_python_and_architecture(python, arch):
    assert python in tested.pythons()
    chosen = tested.digests_for(python, arch)
    assert len(chosen) == len({wheel.partition("-")[0] for wheel in tested.digests()})
    assert tested.digests_for(f"{python}.9", arch) == chosen
    lines = tested.requirements(chosen)
    assert len(lines) == len(chosen)
    assert all(re.fullmatch(r"[\w.]+==[\w.]+ --hash=sha256:[0-9a-f]{64}", line) for line in lines)


@pytest.mark.parametrize(("python", "arch"), [("3.10", "aarch64"), ("3.99", "x86_64"), ("3.11", "riscv64")])
def test_no_wheels_are_known_for_another_one(python, arch):
    assert tested.digests_for(python, arch) == {}


@pytest.mark.parametrize(
    ("wheel", "pythons"),
    [
        ("a-1-py3-none-any.whl", (11, 12, 13)),
        ("a-1-cp312-cp312-manylinux_2_28_aarch64.whl", (12,)),
        ("a-1-cp312-abi3-manylinux_2_17_aarch64.manylinux2014_aarch64.whl", (12, 13)),
        ("a-1-py3-none-manylinux2014_aarch64.whl", (11, 12, 13)),
        ("a-1-cp312-cp312-manylinux_2_28_x86_64.whl", ()),
    ],
)
def test_a_wheel_fits_by_the_tags_of_its_name(monkeypatch, wheel, pythons):
    monkeypatch.setattr(tested, "digests", lambda: {wheel: "0"})
    assert tuple(n for n in (11, 12, 13) if tested.digests_for(f"3.{n}", "aarch64")) == pythons


def write_wheel(folder, name, *requirements):
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        lines = [f"Requires-Dist: {requirement}" for requirement in requirements]
        about = "\n".join(["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0", *lines, "", "About it."])
        archive.writestr(f"{name}-1.0.dist-info/METADATA", about)
        archive.writestr(
            f"{name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{name}-1.0.dist-info/RECORD", "")
    return path


def test_markers_are_judged_for_the_device(tmp_path):
    markers = ("python_version < '3.12'", "platform_machine == 'aarch64' and extra == 'edge'", "extra == 'train'")
    wheel = write_wheel(tmp_path, "own", *(f"n{n}[x] ; {marker}" for n, marker in enumerate(markers)), "always")
    on = {python: list(wheel_digests.requirements(wheel, "edge", python, "aarch64")) for python in ("3.11", "3.12")}
    assert on["3.11"] == [("n0", ["x"]), ("n1", ["x"]), ("always", [])]
    assert on["3.12"] == [("n1", ["x"]), ("always", [])]
    assert list(wheel_digests.requirements(wheel, "", "3.12", "x86_64")) == [("always", [])]


@pytest.mark.slow
def test_pip_refuses_another_file_and_it_is_said_in_a_line(tmp_path):
    write_wheel(tmp_path, "some_thing")
    (line,) = tested.requirements({"some_thing-1.0-py3-none-any.whl": "0" * 64})
    (tmp_path / "listed.txt").write_text(line)
    pip = [sys.executable, "-m", "pip", "download", "--isolated", "--no-index", "--require-hashes", "--no-deps"]
    listed = ["--find-links", tmp_path, "--requirement", tmp_path / "listed.txt", "--dest", tmp_path / "none"]
    done = subprocess.run([*pip, *listed], capture_output=True, text=True)
    assert done.returncode != 0
    said = tested.explain_mismatch(done.stderr)
    assert said.startswith("the package index gives another file of some_thing==1.0 than the tested one (SHA-256 ")
    assert said.endswith(f", not {'0' * 64})")
    assert tested.explain_mismatch("ERROR: No matching distribution found for some_thing==1.0") is None
