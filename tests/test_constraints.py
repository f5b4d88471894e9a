"""The tested versions, from the checkout or from the wheel."""

from pathlib import Path

from toolkit import constraints

ROOT = Path(__file__).parents[1]


def test_a_checkout_reads_the_file_beside_the_package():
    assert constraints.path() == ROOT / "constraints.txt"
    assert constraints.tested()["ml-dtypes"] == constraints.installed("ml_dtypes")


def test_an_installed_package_reads_the_file_that_it_carries(tmp_path, monkeypatch):
    monkeypatch.setattr(constraints, "__file__", str(tmp_path / "constraints.py"))
    (tmp_path / "constraints.txt").write_text("# a comment\nNumPy==2.4.6\nml_dtypes==0.6.0  # why\n")
    assert constraints.tested() == {"numpy": "2.4.6", "ml-dtypes": "0.6.0"}
    assert constraints.requirement("ml_dtypes") == "'ml_dtypes==0.6.0'"
    assert constraints.requirement("unknown") == "'unknown'"


def test_what_is_not_installed_has_no_version():
    assert constraints.installed("no-such-distribution") is None
