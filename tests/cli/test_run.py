"""The whole road: what it finds of earlier ones. The road itself is in tests/test_road.py."""

import pytest

from toolkit import runs

MISTAKES = [
    (("run", "--model", "vgg"), "unknown model 'vgg'; allowed: cnn, mlp, tiny, a Python file"),
    (("run", "--epochs", "-3"), "it must be from 1 to"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES)
def test_a_mistake_gets_one_clear_line_and_exit_code_2(mistake, arguments, message):
    mistake(*arguments, says=message)


def test_what_killed_runs_left_in_their_folders_is_removed(here):
    folder = here / "runs" / "killed"
    left = ["best.keras", "exported/cnn/cnn.keras", "benchmarks/1/record.json"]
    waste = [
        ".lock",
        ".state-0123abcd.partial.npz",
        "exported/cnn/.lock",
        "exported/cnn/.export-1/cnn.keras",
        "exported/cnn/.parity-0123abcd.partial.json",
        "benchmarks/1/.record-0123abcd.partial.json",
    ]
    for name in (*left, *waste):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    runs.remove_leftovers()
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()) == sorted(left)
    assert not (folder / "exported" / "cnn" / ".export-1").exists()
