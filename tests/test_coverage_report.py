"""What is printed of a command that was counted, and how modules and reasons may not fit each other."""

import sys

import pytest

from tests import coverage_report
from tests.coverage_report import REASONS, ROOT, Reason, main, problems, superfluous

ELSEWHERE = Reason(0.5, "of another process")


def test_what_is_run_enough_or_has_a_reason_is_no_problem():
    assert problems({"a.py": 0.9, "b.py": 0.89}, {"b.py": ELSEWHERE}) == []


def test_a_module_without_a_reason_and_a_reason_without_its_module_are_problems():
    found = {"a.py": 0.894, "b.py": 0.9}
    assert problems(found, {"b.py": ELSEWHERE, "gone.py": Reason(0.5, "it is gone")}) == [
        "a.py: 89% of it is run, less than 90%; test it, or give the reason in REASONS",
        "gone.py: no such module; take its reason out of REASONS",
    ]
    assert superfluous(found, {"b.py": ELSEWHERE}) == ["b.py: 90% of it is run; its reason may go"]
    assert superfluous({"b.py": 0.89}, {"b.py": ELSEWHERE}) == []


def test_a_module_with_a_reason_is_run_as_much_as_that_says():
    assert problems({"b.py": 0.5}, {"b.py": ELSEWHERE}) == []
    assert problems({"b.py": 0.494}, {"b.py": ELSEWHERE}) == [
        "b.py: 49% of it is run, less than 50%; test it, or give the reason in REASONS"
    ]


def test_each_reason_names_a_test_that_is_there():
    for module, (least, why) in REASONS.items():
        assert 0 < least < coverage_report.ENOUGH
        assert (ROOT / module).is_file()
        assert (ROOT / why.rpartition("(")[2].removesuffix(")")).exists(), why


@pytest.fixture
def package(here, monkeypatch):
    """A package of that name with a module of which half is run."""
    (here / "toolkit").mkdir()
    (here / "toolkit" / "__init__.py").write_text("")
    (here / "toolkit" / "half.py").write_text(
        "import sys\n\nif sys.argv == []:\n    never = 1\n    never = 2\n    never = 3\n"
    )
    monkeypatch.setattr(coverage_report, "ROOT", here)
    monkeypatch.setattr(coverage_report, "REASONS", {"toolkit/gone.py": Reason(0.25, "it is gone")})


def test_a_command_is_run_and_what_is_wrong_is_printed_below_the_table(package, capsys):
    assert main([sys.executable, "-c", "import toolkit.half"]) == 1
    table, _, rest = capsys.readouterr().out.partition("Less than 90% of these is seen to run:\n")
    assert "toolkit/half.py" in table
    assert rest.splitlines() == [
        "  toolkit/gone.py (at least 25%) it is gone",
        "error: toolkit/half.py: 40% of it is run, less than 90%; test it, or give the reason in REASONS",
        "error: toolkit/gone.py: no such module; take its reason out of REASONS",
    ]


def test_of_a_command_that_fails_nothing_is_printed(package, capsys):
    assert main([sys.executable, "-c", "raise SystemExit(3)"]) == 3
    assert capsys.readouterr().out == ""
