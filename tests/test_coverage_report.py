"""The two ways in which modules and reasons may not fit each other."""

from tests.coverage_report import REASONS, ROOT, problems, superfluous


def test_what_is_run_enough_or_has_a_reason_is_no_problem():
    assert problems({"a.py": 0.9, "b.py": 0.89}, {"b.py": "of another process"}) == []


def test_a_module_without_a_reason_and_a_reason_without_its_module_are_problems():
    found = {"a.py": 0.894, "b.py": 0.9}
    assert problems(found, {"b.py": "of another process", "gone.py": "it is gone"}) == [
        "a.py: 89% of it is run, less than 90%; test it, or give the reason in REASONS",
        "gone.py: no such module; take its reason out of REASONS",
    ]
    assert superfluous(found, {"b.py": "of another process"}) == ["b.py: 90% of it is run; its reason may go"]
    assert superfluous({"b.py": 0.89}, {"b.py": "of another process"}) == []


def test_each_reason_names_a_test_that_is_there():
    for module, reason in REASONS.items():
        assert (ROOT / module).is_file()
        assert (ROOT / reason.rpartition("(")[2].removesuffix(")")).exists(), reason
