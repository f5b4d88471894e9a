"""What is shown while something runs, on a made-up terminal."""

import io

import pytest
from rich.console import Console as RichConsole

from toolkit import console as consoles
from toolkit.console import Column, Console, Standing
from toolkit.step import Step

REASON = "failed: " + "a long reason " * 10
STANDING = Standing(
    0.25,
    "about 3 s left",
    (Column("artifact", figures=False), Column("median so far"), Column("state", figures=False)),
    [("cnn-int8.tflite", "21.3 µs", "process 1 of 5, turn 2 of 7"), ("cut.onnx", "–", REASON)],
)
SHOW_CURSOR, ERASE_LINE = "\x1b[?25h", "\x1b[2K"


@pytest.fixture
def terminal(monkeypatch):
    """A terminal of 80 columns; returns what was written to it."""
    written = io.StringIO()
    rich = RichConsole(file=written, force_terminal=True, width=80, height=24, _environ={})
    monkeypatch.setattr(consoles, "_rich", lambda stream: rich)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    return written


def test_a_live_table_shows_every_figure_and_cuts_a_long_reason(terminal):
    with Console().live() as show:
        show(lambda: STANDING)
        text = terminal.getvalue()
    assert "about 3 s left" in text
    assert "cnn-int8.tflite" in text
    assert "21.3 µs" in text
    assert "process 1 of 5, turn 2 of 7" in text
    assert "failed: a long reason" in text
    assert REASON not in text


def test_a_live_table_is_drawn_again_only_when_it_is_due(terminal):
    times = [100.0, 100.0, 100.1, 100.4, 100.6, 100.6, 100.7]  # two looks at the clock where a picture is drawn
    asked = []
    with Console().live(clock=iter(times).__next__) as show:
        for number in range(5):
            show(lambda number=number: asked.append(number) or STANDING)  # type: ignore[misc]
    assert asked == [0, 3]


def test_a_live_table_that_takes_long_is_drawn_less_often(terminal):
    times = [100.0, 100.2, 103.9, 104.1, 104.3]
    asked = []
    with Console().live(clock=iter(times).__next__) as show:
        for _ in range(3):  # at 100, where it takes 0.2 s, so not at 103.9 but at 104.1
            show(lambda: asked.append(1) or STANDING)
    assert len(asked) == 2


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_ctrl_c_and_errors_leave_a_clean_terminal(terminal, error):
    def fail():
        with Console().live() as show:
            show(lambda: STANDING)
            raise error

    with pytest.raises(error):
        fail()
    lines = len(STANDING.rows) + 5  # the bar, an empty line, headings, a rule, an empty line
    assert SHOW_CURSOR in terminal.getvalue()
    assert terminal.getvalue().rpartition(SHOW_CURSOR)[2].count(ERASE_LINE) >= lines


def test_where_stderr_is_no_terminal_nothing_is_asked_or_shown_but_news(capfd):
    with Console().live() as show:
        show(lambda: pytest.fail("asked"))
    with Console().steps("measuring") as show_step:
        show_step(Step(1, 2, "one"))
        show_step(Step(1, 2, "two", is_news=True))
    assert capfd.readouterr() == ("", "two\n")


def test_news_and_warnings_stand_above_what_is_drawn(terminal):
    """And stay there when it is removed."""
    console = Console()
    with console.live() as show:
        show(lambda: STANDING)
        console.warn("a warning")
    _, said, after = terminal.getvalue().partition("a warning")
    assert said
    assert STANDING.rows[0][0] in after  # drawn again below it
    with console.steps("measuring") as show_step:
        show_step(Step(1, 2, "one"))
        show_step(Step(1, 2, "a sentence", is_news=True))
    assert "a sentence" in terminal.getvalue()


EVIL = "a\x1b]0;x\x07\u202e[red]b[/]\nc"
SHOWN = r"a\x1b]0;x\x07\u202e[red]b[/]\x0ac"


def test_nothing_that_is_printed_steers_the_terminal_or_is_markup(capfd):
    console = Console()
    console.text(EVIL)
    console.heading(EVIL)
    console.table((Column(EVIL), Column("b")), [(EVIL, "1")])
    console.note(EVIL)
    console.warn(EVIL)
    console.error(EVIL.replace("\n", ""))
    console.traceback(ValueError(EVIL.replace("\n", "")))
    out, err = capfd.readouterr()
    assert out.count(SHOWN) == 4
    assert err.count(SHOWN.removesuffix(r"\x0ac")) == 4
    assert [c for c in out + err if not c.isprintable() and c != "\n"] == []


def test_a_word_of_thousands_of_characters_is_cut_off_in_a_message_and_a_long_path_is_not(capfd):
    path = "/".join(["n" * 255] * 8)
    Console().error(f"--epochs is '{'9' * 5000}'; see {path}")
    assert capfd.readouterr().err == f"error: --epochs is '{'9' * 40}… (5,000 characters)'; see {path}\n"


def test_a_line_of_a_message_is_cut_off_also_if_its_words_are_short(capfd):
    Console().error(f"a.json: has schema {[1] * 10_000}, this toolkit reads 1")
    error = capfd.readouterr().err
    assert len(error) < 10_100
    assert error.endswith(", 1, 1… (30,048 characters)\n")


def test_nothing_in_a_live_picture_is_markup_or_steers_the_terminal(terminal):
    with Console().live() as show:
        show(lambda: Standing(0.5, EVIL, (Column("a", figures=False), Column("b")), [(EVIL, "1")]))
    drawn = terminal.getvalue()
    assert SHOWN in drawn
    with Console().steps("a[red]b[/]\x07") as show_step:
        show_step(Step(1, 2, EVIL))
    written = terminal.getvalue()
    assert r"a[red]b[/]\x07" in written.removeprefix(drawn)
    assert "\x1b]0" not in written
    assert "\u202e" not in written


def test_a_document_goes_to_an_ascii_terminal_as_json(monkeypatch):
    written = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written, encoding="ascii"))
    Console(json_output=True).document({"a": "µ"})
    assert written.getvalue() == b'{\n  "a": "\\u00b5"\n}\n'
