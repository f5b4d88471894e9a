"""The command line as a whole: its help, its errors, what every verb has."""

import re
from collections import Counter
from typing import get_args

import pytest
import typer

from toolkit import registry
from toolkit.cli import PANELS, VERBS, app, call, options
from toolkit.training.device import DEVICES


def test_every_verb_is_a_module_of_the_folder():
    assert set(registry.names("toolkit.cli")) == {*VERBS, "groups", "invocation", "options", "panels"}


def test_the_help_has_the_first_sentence_of_each_verb():
    """Which the help does not import."""
    commands = vars(typer.main.get_command(app))["commands"]
    assert {verb: command.get_short_help_str(200) for verb, command in commands.items()} == VERBS


def commands():
    """Yield every command with its words: ``bench``, ``record check``."""
    for name, command in vars(typer.main.get_command(app))["commands"].items():
        for below, inner in getattr(command, "commands", {"": command}).items():
            yield pytest.param(tuple(f"{name} {below}".split()), inner, id=f"{name} {below}".strip())


@pytest.mark.parametrize(("words", "command"), list(commands()))
def test_every_verb_explains_itself(cli, words, command):
    code, out, err = cli(*words, "--help")
    assert (code, err) == (0, "")
    assert "--json" in out
    assert "--debug" in out
    assert "Output:" in out


@pytest.mark.parametrize(("words", "command"), list(commands()))
def test_a_verb_has_fewer_than_ten_options_under_one_heading(words, command):
    panels = Counter(option.rich_help_panel for option in command.params if option.param_type_name == "option")
    assert {panel: count for panel, count in panels.items() if count >= 10} == {}


def test_the_help_has_the_verbs_in_the_order_of_the_road_and_whole_sentences(cli):
    _, out, _ = cli("--help")
    places = [out.index(f"\n{panel}:\n") for panel in PANELS]
    assert places == sorted(places)
    listed = re.findall(r"^  ([a-z][a-z-]+) +(\S.*)$", out.partition("\nOptions:\n")[2], re.MULTILINE)
    assert [verb for verb, _ in listed] == list(VERBS)
    assert [summary for _, summary in listed if "..." in summary] == []


def test_what_can_be_chosen_is_in_the_help_and_completed_by_the_shell(cli, monkeypatch, capfd):
    _, out, _ = cli("train", "--help")
    for choices in (
        "<cnn|mlp|tiny|FILE.py|FILE.keras>",
        "<adam|sgd>",
        "<auto|gpu|cpu>",
        "<val_loss|val_accuracy|loss|accuracy>",
    ):
        assert choices in out
    assert get_args(options.Device) == DEVICES
    monkeypatch.setenv("_TOOLKIT_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "toolkit train --model ")
    monkeypatch.setenv("COMP_CWORD", "3")
    with pytest.raises(SystemExit):
        call([])
    assert capfd.readouterr().out.split() == ["cnn", "mlp", "tiny"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("fly",), "No such command 'fly'; see: toolkit --help"),
        (("bnech",), "No such command 'bnech'. Did you mean 'bench'?; see: toolkit --help"),
        (("wheels", "--arch", "armv7l"), "Invalid value for '--arch': 'armv7l' is not one of 'aarch64', 'x86_64'"),
    ],
)
def test_a_mistake_gets_one_clear_line_and_exit_code_2(mistake, arguments, message):
    mistake(*arguments, says=message)


def test_without_a_verb_the_help_is_shown(cli):
    assert cli() == cli("--help")


def test_the_version_is_told(cli):
    assert cli("--version") == (0, "toolkit 0.1.0\n", "")


def test_debug_shows_the_traceback_and_keeps_the_exit_code(cli, here):
    code, _, err = cli("train", "--data", "nowhere", "--debug")
    assert code == 2
    assert "Traceback" in err
    assert "Error: no data source and no path is called 'nowhere'" in err
    code, _, err = cli("train", "--model", "vgg", "--debug")
    assert (code, "Traceback" in err) == (2, True)
    assert "Traceback" not in cli("train", "--name", "--debug", "--data", "nowhere")[2]


@pytest.mark.slow
def test_a_read_only_folder_is_one_clear_line(cli, here, monkeypatch, tiny_npz):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied", "runs/x")

    monkeypatch.setattr("toolkit.training.folders.prepare", refuse)
    code, _, err = cli("train", "--data", tiny_npz, "--name", "x", "--epochs", "1")
    assert code == 2
    assert "error: runs/x: Permission denied" in err


@pytest.mark.parametrize("path", ["file/page.html", "file/below/page.html"])
def test_a_path_below_a_file_is_one_clear_line_and_the_file_stays(cli, here, shipped, path):
    (here / "file").write_text("kept")
    code, _, err = cli("report", shipped, "--output", path)
    assert (code, err.splitlines()[-1]) == (2, "error: file: a file stands where a folder is needed")
    assert (here / "file").read_text() == "kept"


def test_a_current_folder_that_has_been_removed_is_called_so(mistake, tmp_path, monkeypatch, shipped):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    mistake("report", shipped, says="the current folder has been removed; change to another one")


def test_ctrl_c_ends_with_130(cli, here, monkeypatch):
    monkeypatch.setattr("toolkit.data.load", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    code, out, err = cli("train", "--name", "x")
    assert (code, out, err) == (130, "", "error: interrupted\n")


def test_a_bug_is_one_line_that_asks_for_a_report(cli, here, monkeypatch):
    monkeypatch.setattr("toolkit.data.load", lambda *_, **__: {}["x"])
    code, _, err = cli("train", "--name", "x")
    assert code == 1
    assert "unexpected KeyError: 'x'; please report it" in err


def test_a_32_bit_system_is_told_so_by_every_verb(cli, here, monkeypatch):
    monkeypatch.setattr("toolkit.host.facts.bits", lambda: 32)
    code, _, err = cli("data")
    assert code == 0
    assert err.startswith("warning: this Python is 32-bit, and LiteRT and ONNX Runtime are built for 64-bit systems")
