import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.properties import quick
from toolkit import archive
from toolkit.errors import ArtifactError

CONTENT = st.binary(max_size=50)
# Names that every system reads alike, none of them the folder of another.
SOUND = st.text("abz09_-. äß", min_size=1, max_size=8).filter(lambda name: name not in (".", "..")).map("box/{}".format)
# Names that are paths of their own, and whatever else text can be.
PARTS = st.sampled_from(["..", ".", "", "a", "A", "b"]) | st.text(max_size=4)
ANY = st.lists(PARTS, min_size=1, max_size=4).map("/".join)


def files_in(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@settings(quick, max_examples=20)  # each writes files
@given(st.dictionaries(SOUND, CONTENT, max_size=4))
def test_what_was_packed_is_unpacked_and_its_order_does_not_matter(files):
    with tempfile.TemporaryDirectory() as place:
        first, again, folder = (Path(place) / name for name in ("first.zip", "again.zip", "out"))
        archive.pack(first, files)
        archive.pack(again, dict(reversed(files.items())))
        assert first.read_bytes() == again.read_bytes()
        assert archive.unpack(first, folder) == []
        assert files_in(folder) == files


@settings(quick, max_examples=20)  # each writes files
@given(st.dictionaries(ANY, CONTENT, min_size=1, max_size=4))
def test_whatever_a_file_is_called_it_is_refused_or_unpacked_inside_the_folder(files):
    with tempfile.TemporaryDirectory() as place:
        packed, folder = Path(place) / "packed.zip", Path(place) / "out"
        try:
            archive.pack(packed, files)
            assert archive.unpack(packed, folder) == []
        except ArtifactError:
            assert not folder.exists()
        else:
            assert files_in(folder) == files
        assert {path.name for path in Path(place).iterdir()} <= {packed.name, folder.name}
