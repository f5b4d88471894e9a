"""Texts from anywhere, on any terminal and in any document."""

import io
import json
import os

import pytest

from toolkit.text import drawn, in_markdown, lines, printable, signal_name, to_json, well_formed, write_plainly

EVIL = "a\x1b]0;x\x07\x9b2J\u202eb\u2028\x7f"


def test_what_steers_a_terminal_is_shown_instead():
    assert printable(EVIL) == r"a\x1b]0;x\x07\x9b2J\u202eb\u2028\x7f"
    assert printable({EVIL: [EVIL, 1, None]}) == {printable(EVIL): [printable(EVIL), 1, None]}
    assert printable("a\tb\nc", keep="\n") == "a\\x09b\nc"
    assert printable("größe 数字 µ ×") == "größe 数字 µ ×"
    assert printable(printable(EVIL)) == printable(EVIL)


def test_bytes_of_a_name_are_shown_as_utf_8_or_as_bytes():
    assert well_formed(os.fsdecode(b"q\xff\xfe")) == r"q\xff\xfe"
    # As an ASCII locale reads a name in UTF-8.
    assert well_formed("größe.png".encode().decode("ascii", "surrogateescape")) == "größe.png"
    assert well_formed("\ud83d") == r"\ud83d"


def test_lines_of_others_are_printable():
    assert lines("one\r\n\n \x1b[2Jtwo \rthree") == ["one", r"\x1b[2Jtwo", "three"]


def test_nothing_in_a_picture_is_a_formula():
    assert drawn("a$b$c\x07") == r"a\$b\$c\x07"


def test_a_signal_without_a_name_is_told_by_its_number():
    assert [signal_name(number) for number in (11, 35)] == ["SIGSEGV", "signal 35"]


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_a_document_is_json_in_every_encoding_and_steers_nothing(encoding):
    document = {EVIL: ["µ × 数字 😀", 'quote " and \\', "new\nline"]}
    text = to_json(document, encoding=encoding)
    assert json.loads(text.encode(encoding).decode(encoding)) == document
    assert [c for c in text if not c.isprintable() and c != "\n"] == []


def test_a_document_escapes_no_more_than_it_must():
    assert to_json({"a": "µ × 数字"}) == '{\n  "a": "µ × 数字"\n}\n'


def test_a_name_that_is_not_utf_8_leaves_a_document_well_formed():
    text = to_json({"path": os.fsdecode(b"q\xff/a")})
    assert json.loads(text.encode()) == {"path": r"q\xff/a"}


def test_a_stream_writes_something_else_for_what_it_lacks():
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding="ascii", errors="strict")
    write_plainly(stream)
    stream.write("1.7 µs, 28×28, 145 – 180, a… 数")
    stream.flush()
    assert written.getvalue() == b"1.7 us, 28x28, 145 - 180, a... ?"


def test_nothing_of_a_text_in_markdown_is_more_than_text():
    assert in_markdown("qemu-x86_64 _a_ *b* `c` ![d](e) <f> \\\n# g | h") == (
        r"qemu-x86_64 \_a\_ \*b\* \`c\` !\[d\](e) \<f> \\\\x0a# g \| h"
    )
