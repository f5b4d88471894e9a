"""Tables in CSV files: what they are read as, and which cell is at fault."""

import numpy as np
import pytest

from toolkit import data, host
from toolkit.data import table
from toolkit.data.base import parts
from toolkit.errors import DataError, UsageError
from toolkit.overlap import find
from toolkit.reading import Reading

HEADER = "length,width,species"


def text_of(rows=30, *, header=HEADER, seed=0):
    """A table of two kinds of fish, one longer than the other."""
    rng = np.random.default_rng(seed)
    lines = [header]
    for row in range(rows):
        length = rng.normal(40 if row % 2 else 10)
        lines.append(f"{length:.3f},{rng.normal(3):.3f},{'pike' if row % 2 else 'perch'}")
    return "\n".join(lines) + "\n"


@pytest.fixture
def write(tmp_path):
    def write(text, name="fish.csv"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


def load(path, *, said=None, **reading):
    warn = pytest.fail if said is None else said.append
    return data.load(str(path), warn=warn, reading=Reading(**reading))


def test_the_last_column_is_the_label_and_a_fifth_of_each_class_is_the_test(write):
    said = []
    found = load(write(text_of()), said=said)
    assert found.counts == "24 + 6"
    assert found.class_names == ("perch", "pike")
    assert found.rows_are == "rows of 2 values"
    assert found.train.images.dtype == np.float32
    assert np.bincount(found.test.labels).tolist() == [3, 3]
    assert found.reading.columns == ("length", "width")
    assert [line.partition(": ")[2] for line in said] == [
        "the last column, 'species', is taken for the label",
        "the labels perch, pike are classes 0 to 1",
    ]


def test_a_column_called_label_is_the_label_wherever_it_stands(write):
    said = []
    found = load(write("Label,a,b\n" + "x,1,2\ny,3,4\n" * 2 + "x,5,6\ny,7,8\n"), said=said)
    assert found.class_names == ("x", "y")
    assert found.reading.columns == ("a", "b")
    assert "the column 'Label' is taken for the label" in said[0]


def test_what_a_run_recorded_is_read_again_without_a_word_on_the_label(write):
    path, said = write(text_of()), []
    first = load(path, said=said)
    said.clear()
    again = data.load(str(path), warn=said.append, reading=first.reading)
    assert again.digests == first.digests
    assert not [line for line in said if "last column" in line]


def test_any_column_of_a_table_can_be_the_label(write):
    lines = [line.split(",") for line in text_of().splitlines()]
    path = write("\n".join(",".join((cells[2], *cells[:2])) for cells in lines))
    found = load(path, said=[], keys={"label": "species"})
    assert found.class_names == ("perch", "pike")
    assert found.reading.columns == ("length", "width")


def test_lines_are_counted_from_the_first_also_where_empty_ones_stand_above_the_header(write):
    path = write("\n \n" + text_of(6))
    assert table.read(path, columns=("width", "length"), label="species").lines.tolist() == list(range(4, 10))


@pytest.mark.parametrize("between", [";", "\t"])
def test_semicolons_and_tabs_separate_as_well(write, between):
    plain = load(write(text_of()), said=[])
    assert load(write(text_of().replace(",", between), "other.csv"), said=[]).digests == plain.digests


def test_names_in_quotes_separate_no_columns(write):
    names = '"length, at most, in cm";"width, in cm";species'
    found = load(write(text_of().replace(",", ";").replace(HEADER.replace(",", ";"), names)), said=[])
    assert found.reading.columns == ("length, at most, in cm", "width, in cm")


def test_whole_numbers_as_labels_are_in_their_order(write):
    rows = "\n".join(f"{row}.5,{row % 11}" for row in range(110))
    found = load(write(f"x,class\n{rows}\n"), said=[])
    assert found.class_names == tuple(str(number) for number in range(11))


def test_labels_with_a_zero_before_the_number_are_names(write):
    rows = "".join(f"{row},{label}\n" for row in range(10) for label in ("01", "1"))
    assert load(write(f"length,kind\n{rows}"), said=[]).class_names == ("01", "1")


def test_a_folder_holds_a_table_for_each_part(write):
    write(text_of(20), "lake/train.csv")
    write(text_of(6, seed=1), "lake/val.csv")
    # The columns of the test table are in another order.
    lines = [line.split(",") for line in text_of(8, seed=2).splitlines()]
    path = write("\n".join(",".join((cells[1], cells[2], cells[0])) for cells in lines), "lake/test.csv")
    found = load(path.parent, said=[])
    assert found.counts == "20 + 6 + 8"
    assert found.test.images[:, 0].max() > 30
    assert found.train.images[:, 0].max() > 30


def test_equal_rows_are_never_in_two_parts(write):
    rows = [line for line in text_of(40).splitlines()[1:] for _ in range(3)]
    found = load(write("\n".join((HEADER, *rows))), said=[])
    divided = parts.divide(found, share=0.2, seed=0)
    assert divided.how == parts.TOGETHER
    assert divided.shared_images(allowed=False) == ()
    assert find({"train": found.train.row_digests, "test": found.test.row_digests}) == ()
    assert len(divided.validation_rows) == pytest.approx(0.2 * len(found.train), abs=3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("length,width,species\n1,2,a\n1,x,b\n", r"line 3, column 'width' is 'x'; allowed: numbers"),
        ("length;width;species\n1;5,1;a\n", r"line 2, column 'width' is '5,1'; .* Save the table with decimal points"),
        ('length,width,species\n1,"1.005,1",a\n', r"line 2, .* is '1\.005,1'; .* Save the table with decimal points"),
        ("length;width;species\n1;a,b;a\n", r"line 2, column 'width' is 'a,b'; .* Mend the cell or leave out"),
        ("length,width,species\n1,2,a\n1,,b\n", r"line 3, column 'width' is empty; allowed: numbers"),
        ("length,width,species\n1,2,a\n\n1,nan,b\n", r"line 4, column 'width' is nan; allowed: numbers"),
        ("length,width,species\n1,2,a\n1,1e39,b\n", r"line 3, column 'width' is 1e\+39; allowed: numbers"),
        ("length,width,species\n1,2,a\n1,2\n", r"line 3 has 2 cells, the header has 3; mend the line, or"),
        ("length,width,species\n", r"has no rows below its header"),
        ("\n\r\n", r"has only empty lines; a table begins with a line that names its columns"),
        ("1,2,3\n4,5,6\n", r"line 1 holds numbers; it must name the columns"),
        ("length,length,species\n1,2,a\n", r"two columns are called 'length'"),
        (",length,species\n0,2,a\n", r"column 1 has no name in line 1; from pandas, to_csv needs"),
        ("\nlength,species,\n0,a,\n", r"column 3 has no name in line 2; name it, or remove it"),
        ("species\na\nb\n", r"has one column, 'species'"),
        ("length,price\n1,2.5\n", r"line 2: the label, column 'price', is 2\.5; allowed: whole numbers"),
        ("length,kind\n1,a\n2,\n", r"line 3: the label, column 'kind', is empty; .* leave out its row"),
        ("length,kind\n1,a\n2,NaN\n", r"line 3: the label, column 'kind', is NaN; "),
        (f"length,kind\n1,{'a' * 201}\n", r"line 2: the label, column 'kind', is 201 characters long; "),
        ("length,kind\n1,a\n2,a\n", r"all training labels are a; a classifier needs 2"),
        ("length,kind\n1,a\n2,\"b\n3,c\n", r"line 3: the row that begins here cannot be read: unexpected end of"),
        ("a,\"b\n1,2\n", r"line 1: the row that begins here cannot be read: unexpected end of data; is a quote left"),
        (f"length,kind\n1,{'1' * 250}\n", r"line 2: the label, column 'kind', is 250 characters long; "),
        (f"length,kind\n1,{'9' * 400}\n", r"line 2: the label, column 'kind', is 400 characters long; "),
        ("x" * (1 << 20), r"its first line is longer than 1,048,576 characters"),
        (",".join(f"c{n}" for n in range(10_002)), r"has 10,002 columns; allowed: 10,000"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused_with_its_place(write, text, message):
    with pytest.raises(DataError, match=rf"fish\.csv: {message}"):
        load(write(text), said=[])


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_a_mark_at_the_beginning_says_in_which_encoding_a_table_is(write, tmp_path, encoding):
    text, said = text_of().replace("pike", "Hecht größer"), []
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    (tmp_path / "marked.csv").write_bytes((mark + text).encode(encoding))
    marked, plain = load(tmp_path / "marked.csv", said=said), load(write(text), said=said)
    assert (marked.digests, marked.class_names) == (plain.digests, ("Hecht größer", "perch"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "größe,species\n1,a\n".encode("latin-1"),
            r"is not in UTF-8, which has no f6; save it as .* -f LATIN1 .* if it is",
        ),
        (b"a,b\n1,c\n\xff\xfe,1\n", r"is not in UTF-8, which has no ff; save it as 'CSV UTF-8', or convert it: iconv"),
        (
            text_of().encode("utf-16-le"),
            r"holds bytes of 0, as a text in UTF-16 without its mark .* iconv -f UTF-16LE -t",
        ),
        (text_of().encode("utf-16-be"), r"holds bytes of 0, as a text in UTF-16 without its mark"),
        (b"\xff\xfea\0,\0b\0\n\0\x00\xdc\n\0", r"is not in UTF-16-LE, which has no 00 dc; save it as"),
    ],
)
def test_another_encoding_is_named_with_what_to_do(tmp_path, content, message):
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(DataError, match=rf"^{tmp_path}/x\.csv: {message}"):
        load(tmp_path / "x.csv", said=[])


def test_a_column_that_is_not_there_is_named(write):
    with pytest.raises(DataError, match=r"has no column 'kind'; it has 'length', 'width', 'species'"):
        load(write(text_of()), said=[], keys={"label": "kind"})
    write(text_of(), "lake/train.csv")
    path = write("length,species\n1,pike\n", "lake/test.csv")
    with pytest.raises(DataError, match=r"test\.csv: has no column 'width'; it has 'length', 'species'"):
        load(path.parent, said=[])


def test_options_of_other_sources_have_no_meaning(write):
    path = write(text_of())
    with pytest.raises(DataError, match=r"fish\.csv: --keys x_train=… has no meaning there; allowed: label"):
        load(path, keys={"x_train": "a"})
    with pytest.raises(DataError, match=r"--image-size has no meaning there"):
        load(path, image_size=(8, 8))
    with pytest.raises(UsageError, match="there is no kind 'sound'; allowed: images, values"):
        Reading(keys={"kind": "sound"})


def test_constant_columns_and_empty_classes_are_said_with_their_figure(write):
    text = "\n".join([f"{HEADER},", *(f"{line}," for line in text_of().splitlines()[1:])])
    text = text.replace("species,", "species,colour").replace("perch,", "perch,7").replace("pike,", "pike,7")
    said = []
    load(write(text + "\n1,1,eel,7\n"), said=said, keys={"label": "species"})
    assert [line.partition(": ")[2] for line in said[-2:]] == [
        "1 of 3 columns have one value in all training rows (colour); a model learns nothing from them",
        "1 of 3 classes have no test row (eel); no figure is about them",
    ]


def test_rows_to_ask_about_need_no_label(write):
    path = write("width,length\n3,40\n\n2.5,9\n", "asked.csv")
    names, rows, _ = table.rows_of(path, Reading(columns=("length", "width")))
    assert names == [f"{path}:2", f"{path}:4"]
    np.testing.assert_array_equal(rows, np.float32([[40, 3], [9, 2.5]]))


def test_a_table_without_a_header_is_refused(tmp_path):
    rows = "".join(f"{row}.5,{-row},{'yes' if row % 2 else 'no'}\n" for row in range(12))
    (tmp_path / "bare.csv").write_text(rows)
    with pytest.raises(DataError, match=r"bare\.csv: its first line is a row \('no' is one of the labels\)"):
        data.load(str(tmp_path / "bare.csv"), warn=pytest.fail)
    (tmp_path / "numbered.csv").write_text(f"0,1,label\n{rows}")
    assert data.load(str(tmp_path / "numbered.csv"), warn=str).rows_are == "rows of 2 values"


def test_labels_are_refused_before_they_take_more_memory_than_there_is(write, monkeypatch):
    """Each row takes as much as the longest label."""
    monkeypatch.setattr(host, "available_memory_bytes", lambda: 4 * 10**6)
    short = "length,label\n" + "1,a\n2,b\n" * 1000
    with pytest.raises(DataError, match=r"its labels needs 4,802,400 bytes of memory"):
        load(write(f"{short}3,{'z' * 200}\n"))
    assert len(table.read(write(short), columns=["length"], label="label").labels) == 2000
