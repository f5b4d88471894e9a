import json
from dataclasses import dataclass, field
from typing import Any, ClassVar, NotRequired, TypedDict

import pytest

from toolkit.errors import ArtifactError, RunError
from toolkit.files import FileName, documents


class Part(TypedDict):
    path: FileName
    share: NotRequired[float]


@dataclass(frozen=True)
class Whole:
    DERIVED: ClassVar = ("length",)
    name: str
    parts: tuple[Part, ...] = ()
    size: int | None = None
    more: dict[str, Any] = field(default_factory=dict)
    newer: int = field(default=0, metadata=documents.LATER)

    def __post_init__(self):
        if self.name == "nobody":
            raise ValueError("nobody has no name")


def read(tmp_path, content):
    (tmp_path / "w.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    return documents.read(tmp_path / "w.json", Whole, what="a whole", error=RunError)


def test_a_document_becomes_its_dataclass_and_loses_nothing(tmp_path):
    text = '{"name": "ä", "parts": [{"path": "a", "b": {"c": 1}, "share": 1}], "more": {"x": [1, null]}}'
    found = read(tmp_path, text)
    assert found == Whole("ä", ({"path": "a", "b": {"c": 1}, "share": 1},), None, {"x": [1, None]})
    assert (type(found.parts[0]["path"]), type(found.parts[0]["share"])) == (str, int)
    assert list(found.parts[0]) == ["path", "b", "share"]  # in its order, for whoever writes it again


def test_what_is_derived_of_a_dataclass_may_stand_beside_its_fields(tmp_path):
    assert read(tmp_path, '{"name": "a", "length": 1}') == Whole("a")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"name": 1}', r"\$\.name: expected str, got int"),
        ('{"name": "x", "parts": [{"path": "a"}, {}]}', r"\$\.parts\[1\]: object missing required field path"),
        ('{"name": "x", "parts": [{"path": "../a"}]}', r"\$\.parts\[0\]\.path: '\.\./a' is no plain file name"),
        ('{"name": "x", "parts": [{"path": ["a"]}]}', r"\$\.parts\[0\]\.path: expected str, got list"),
        ('{"name": "x", "parts": [{"path": "a", "share": true}]}', r"\$\.parts\[0\]\.share: expected float, got bool"),
        ('{"name": "x", "size": 1.5}', r"\$\.size: expected int \| null, got float"),
        ('{"name": "x", "surplus": 1}', r"\$\.surplus: unknown field"),
        ('{"name": "nobody"}', r"nobody has no name"),
        ('{"name": "x", "more": {"y": [NaN]}}', r"\$\.more\.y\[0\]: nan is no number"),
        ('{"name": "x", "more": {"y": 1e999}}', r"\$\.more\.y: inf is no number"),
        ('{"name": "x", "more": {"y": -Infinity}}', r"\$\.more\.y: -inf is no number"),
        ('{"name": "\\ud800"}', r"\$\.name: holds half a character"),
        ('{"name": "x", "more": {"\\udfff": 1}}', r"\$\.more: a name holds half a character"),
        ('{"name": "x", "size": 9223372036854775808}', r"\$\.size: a number of more than 64 bits"),
        ('{"name": "x", "more": {"y": ' + "[" * 60 + "]" * 60 + "}}", "nested more than 50 deep"),
        ('{"more": ' + "[" * 100_000, "cannot be read as a whole: nested too deeply"),
        ('{"name": "x", "size": ' + "9" * 5000 + "}", r"\$\.size: a number of more than 64 bits$"),
        ('{"name": "x", "more": {"y": [-1' + "0" * 30 + "]}}", r"\$\.more\.y\[0\]: a number of more than 64 bits$"),
        ("[]", "no JSON object, but list"),
        ("null", "no JSON object, but NoneType"),
        ('{"name"', "cannot be read as a whole"),
        ("", "an empty file"),
        (b'{"name": "\xff"}', "cannot be read as a whole: 'utf-8' codec"),
        ('{"name": "x"}'.encode("utf-16"), "cannot be read as a whole: 'utf-8' codec"),
    ],
)
def test_a_document_that_does_not_fit_is_refused_with_file_and_field(tmp_path, content, message):
    with pytest.raises(RunError, match=rf"w\.json: .*{message}"):
        read(tmp_path, content)


def test_a_document_is_utf_8_whatever_the_locale(tmp_path, monkeypatch):
    monkeypatch.setattr("locale.getpreferredencoding", lambda *_: "latin-1")
    assert read(tmp_path, '{"name": "µ"}').name == "µ"


def test_a_document_that_is_too_long_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(documents, "MOST_BYTES", 12)
    with pytest.raises(RunError, match=r"w\.json: has 13 bytes; allowed: 12"):
        read(tmp_path, '{"name": "x"}')


def test_numbers_that_are_none_are_read_where_they_may_be():
    found = documents.parse(b'{"loss": NaN}', "here", what="a state", finite=False)
    assert json.dumps(found) == '{"loss": NaN}'


@dataclass(frozen=True)
class Open:
    name: str
    parts: tuple[Whole, ...] = ()
    newer: int | None = field(default=None, metadata=documents.LATER)
    others: dict[str, Any] = field(default_factory=dict)


@pytest.mark.parametrize(
    "document",
    [
        {"name": "x", "parts": []},
        {"name": "x", "parts": [], "newer": 1, "more": {"y": [1, 2.5]}},
        {"name": "x", "parts": [{"name": "y", "parts": [], "size": 1, "more": {}, "newer": 2}]},
    ],
)
def test_a_document_is_written_as_it_was_read(document):
    found = documents.convert(document, Open, "here", what="an open one")
    assert documents.to_tree(found) == document


def test_what_a_newer_field_is_not_is_said():
    with pytest.raises(ArtifactError, match=r"here: .*\$\.newer: expected int \| null, got str"):
        documents.convert({"name": "x", "newer": "y"}, Open, "here", what="an open one")
