"""Ways to damage a file: bytes of any, fields of a document, members of a zip file, the inside of a gzip file."""

import gzip
import io
import json
import warnings
import zipfile
from copy import deepcopy

from hypothesis import strategies as st

# What a field is replaced with.
ODD = (None, True, -1, 2**80, 1e308, "../x", "\x1b[31m", "x" * 300, [], [[]], {}, float("nan"), "\ud800")
_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(ODD[:-1]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_PLACES = st.integers(0, 2**32 - 1)
_PIECES = st.binary(min_size=1, max_size=8) | st.sampled_from(
    [bytes(4), b"\xff" * 4, b"\xff\xff\xff\x7f", b"\x80", b"["]
)
SET, INSERT, CUT, REPEAT, END = "set", "insert", "cut", "repeat", "end"
_EDITS = st.tuples(st.sampled_from([SET, SET, INSERT, CUT, REPEAT, END]), _PLACES, _PIECES, st.integers(1, 64))
# Bytes that a member of a zip file or a gzip file may inflate to beside what it held.
INFLATED = 1 << 27
# Text of a header of an array, and what it becomes.
_HEADERS = st.tuples(
    st.sampled_from([b"'<f4'", b"'|u1'", b"'<i8'", b"False", b"(", b", ", b"}", b"NUMPY", b"\x01\x00"]),
    st.sampled_from(
        [b"'|O'", b"'<f8'", b"'<U9'", b"'|V3'", b"True", b"((", b"(9999999999,", b"-1,", b"{", b"\x03\x00"]
    ),
)


def as_bytes(content):
    """Return a strategy of the content with bytes set, put in, cut out, repeated, or with its end cut off."""
    return st.lists(_EDITS, min_size=1, max_size=6).map(lambda edits: _edited(content, edits))


def in_place(content):
    """Return a strategy of the content with some bytes set, so that everything else stays where it is."""
    edits = st.lists(
        st.tuples(st.just(SET), _PLACES, _PIECES.filter(lambda piece: len(piece) < 5), st.just(1)),
        min_size=1,
        max_size=3,
    )
    return edits.map(lambda edits: _edited(content, edits)[: len(content)])


def _edited(content, edits):
    changed = bytearray(content)
    for kind, at, piece, length in edits:
        place = at % (len(changed) + 1)
        if kind == SET:
            changed[place : place + len(piece)] = piece
        elif kind == INSERT:
            changed[place:place] = piece
        elif kind == CUT:
            del changed[place : place + length]
        elif kind == REPEAT:
            changed[place:place] = changed[place : place + length] * 8
        else:
            del changed[place:]
    return bytes(changed)


def fields(tree, at=(), entries=2):
    """Yield the place of every field of a document; of a list, those of its first entries."""
    parts = tree.items() if isinstance(tree, dict) else enumerate(tree[:entries]) if isinstance(tree, list) else ()
    for step, part in parts:
        yield (*at, step)
        yield from fields(part, (*at, step), entries)


def replaced(tree, at, value, *, gone=False):
    """Return a copy of a document with another value in a field, or without it."""
    changed = deepcopy(tree)
    part = changed
    for step in at[:-1]:
        part = part[step]
    part[at[-1]] = value
    if gone:
        del part[at[-1]]
    return changed


def as_json(content):
    """Return a strategy of a document with one field replaced or gone, or with its bytes edited."""
    tree = json.loads(content)
    change = st.builds(
        lambda at, value, gone: json.dumps(replaced(tree, at, value, gone=gone)).encode(),
        st.sampled_from(list(fields(tree))),
        _ANY | st.sampled_from(ODD),
        st.integers(0, 7).map(lambda number: number == 0),
    )
    return st.one_of(change, change, change, as_bytes(content))


def by_content(content):
    """Return the strategy that fits the content: of a document, of a zip file, or of bytes that stay in place."""
    return (as_json if content.startswith(b"{") else as_zip if content.startswith(b"PK") else in_place)(content)


def as_zip(content):
    """Return a strategy of a zip file with a member changed, gone, twice or inflated, or with its own bytes edited."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        members = {name: packed.read(name) for name in packed.namelist()}
    whole = st.sampled_from(list(members)).flatmap(lambda name: _of_member(members, name))
    return st.one_of(whole, whole, as_bytes(content))


def _of_member(members, name):
    inside = members[name]
    change = as_json(inside) if name.endswith(".json") else st.one_of(as_bytes(inside), in_place(inside))
    return st.one_of(
        change.map(lambda changed: _packed({**members, name: changed})),
        _HEADERS.map(lambda pair: _packed({**members, name: inside.replace(*pair)})),
        st.just(_packed({other: members[other] for other in members if other != name})),
        st.just(_packed(members, twice=name)),
        st.sampled_from([".", "/", "../", "/etc/"]).map(lambda where: _packed({**members, where + name: inside})),
        st.just(name).map(lambda name: _packed({**members, name: inside + bytes(INFLATED)})),
    )


def _packed(members, twice=None):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed, warnings.catch_warnings(action="ignore"):
        for name, inside in members.items():
            for _ in range(1 + (name == twice)):
                packed.writestr(zipfile.ZipInfo(name), inside, zipfile.ZIP_DEFLATED)  # without the time
    return target.getvalue()


def as_gzip(content):
    """Return a strategy of a gzip file whose inside is changed or inflated, or with its own bytes edited."""
    inside = gzip.decompress(content)
    return st.one_of(
        as_bytes(inside).map(_gzipped),
        as_bytes(content),
        st.just(inside).map(lambda inside: _gzipped(inside + bytes(INFLATED))),
    )


def _gzipped(content):
    return gzip.compress(content, mtime=0)


def change(path, at, value):
    """Replace a field of a JSON file."""
    path.write_text(json.dumps(replaced(json.loads(path.read_text()), at, value)))
