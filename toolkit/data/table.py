"""A table of numbers: a CSV file with a header, in which one column has the classes and the others the values."""

import csv
import io
import re
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.data.base import Dataset, grouped_split, make_dataset
from toolkit.data.base.values import Asked, as_values
from toolkit.errors import DataError
from toolkit.files import opened, require_no_link
from toolkit.files.damage import decoding
from toolkit.files.memory import check_memory
from toolkit.reading import AS_THEY_ARE, LABEL, Reading
from toolkit.text import encoding_of, printable

SUMMARY = "a .csv file with a header and a column of labels (or a folder with train.csv and test.csv)"
READS = ("keys", "columns")
SUFFIX = ".csv"
TRAINING, VALIDATION, TEST = "train.csv", "val.csv", "test.csv"
# A manifest names all columns; wider rows are signals or pictures, which belong into a .npz file.
MOST_COLUMNS = 10_000
LONGEST_HEADER, LONGEST_LABEL = 1 << 20, 200
DELIMITERS = ",;\t"
# What a byte of the file takes at most: a cell has two or more, and becomes a double, a float32 and its copy.
BYTES_PER_BYTE = 8
# What a character of the longest label takes for each row: four bytes, and copies of them that are sorted.
LABEL_BYTES = 12
# What to do with a text in another encoding.
_IN_UTF_8 = "save it as 'CSV UTF-8', or convert it: iconv -f {} -t UTF-8 OLD.csv > NEW.csv"


@dataclass(frozen=True)
class CsvTable:
    """Rows of a CSV file. values: (N, columns) float32. labels: (N,) texts. lines: (N,), where in the file they are."""

    values: NDArray[np.float32]
    labels: NDArray[np.str_]
    lines: NDArray[np.int64]


def recognises(path: Path) -> bool:
    """Say whether ``path`` is a .csv file, or a folder with a table to train on."""
    return (path.suffix.lower() == SUFFIX and path.is_file()) or (path / TRAINING).is_file()


def load(path: Path, reading: Reading = AS_THEY_ARE) -> Dataset:
    """Read train.csv, test.csv and perhaps val.csv, or one table, a fifth of which becomes the test by a fixed seed.

    The label is the column that is asked for, else the one that is called so, else the last. Rows that are equal fall
    in the same part.
    """
    reading.require_keys((LABEL,), what=str(path))
    source = path
    if path.is_dir():
        source = path / TRAINING
        for name in (TRAINING, TEST, VALIDATION):
            require_no_link(path / name, error=DataError)
    names = header(source)
    last = names[-1]
    label = (reading.keys or {}).get(LABEL) or next((name for name in names if name.lower() == LABEL), last)
    columns = reading.columns or tuple(name for name in names if name != label)
    if not columns:
        raise DataError(f"{source}: has one column, {_shown(label)}; columns are separated by comma, semicolon or tab")
    column = f"last column, {_shown(label)}," if label == last else f"column {_shown(label)}"
    notes = () if reading.keys else (f"{path}: the {column} is taken for the label",)
    parts = [read(source, columns=columns, label=label)]
    if label in parts[0].labels and all(map(_is_number, columns)):
        raise DataError(
            f"{source}: its first line is a row ({_shown(label)} is one of the labels); a table begins with a line "
            "that names its columns"
        )
    if path.is_dir():
        files = [path / TEST, *(file for file in [path / VALIDATION] if file.is_file())]
        parts += [read(file, columns=columns, label=label) for file in files]
    else:
        parts = _divided(*parts)
    labels = _as_numbers([part.labels for part in parts])
    training, test, *validation = zip([part.values for part in parts], labels, strict=True)
    return make_dataset(
        (*training, *test),
        validation=validation[0] if validation else None,
        name=path.stem,
        origin=str(path),
        reading=replace(reading, keys={LABEL: label}, columns=columns),
        notes=notes,
        conversion=as_values,
    )


def _divided(table: CsvTable) -> list[CsvTable]:
    _, classes = np.unique(table.labels, return_inverse=True)
    _, equal = np.unique(table.values, axis=0, return_inverse=True)
    rows = grouped_split(classes.astype(np.int64), equal.ravel())
    return [CsvTable(table.values[part], table.labels[part], table.lines[part]) for part in rows]


def _as_numbers(parts: Sequence[NDArray[np.str_]]) -> Sequence[NDArray[Any]]:
    """Return labels as whole numbers if all of them are, so that 10 comes after 9; 01 is a name, and not 1."""
    if all(
        label.isascii() and label.isdigit() and len(label) < len(str(2**63)) and label == str(int(label))
        for part in parts
        for label in set(part)
    ):
        return [part.astype(np.int64) for part in parts]
    return parts


def rows_of(path: Path, reading: Reading) -> Asked:
    """Return the rows of a file that a model is asked about, (N, columns), and what to call each: file and line."""
    table = read(path, columns=reading.columns or (), label=None)
    return Asked([f"{path}:{line}" for line in table.lines], table.values)


def header(path: Path) -> list[str]:
    """Return the names of the columns; DataError if there are none."""
    with _opened(path) as lines:
        return next(lines)[1]


def first_cells(path: Path, column: str, count: int) -> list[str]:
    """Return up to ``count`` cells of a column of a file that can be read; none if it has no such column."""
    with _opened(path) as lines:
        _, names = next(lines)
        return [cells[names.index(column)] for _, cells in islice(lines, count)] if column in names else []


def read(path: Path, *, columns: Sequence[str], label: str | None) -> CsvTable:
    """Read the columns of a file that are asked for; without a label all labels are empty.

    Raises DataError, naming line and column, for a cell that is no finite number, and for a column that is not there.
    """
    with _opened(path) as lines:
        check_memory(BYTES_PER_BYTE * path.stat().st_size, what=f"{path}: its table", error=DataError)
        _, names = next(lines)
        wanted = (*columns, *([] if label is None else [label]))
        if missing := [name for name in wanted if name not in names]:
            raise DataError(f"{path}: has no column {_shown(missing[0])}; it has {', '.join(map(_shown, names))}")
        places = [names.index(name) for name in columns]
        place_of_label = None if label is None else names.index(label)
        values, labels, numbers = array("d"), [], array("q")
        known: dict[str, tuple[str, int]] = {}
        for number, cells in lines:
            if len(cells) != len(names):
                raise DataError(
                    f"{path}: line {number} has {len(cells)} cells, the header has {len(names)}; mend the line, or the "
                    f"header if all lines have {len(cells)}"
                )
            try:
                values.extend([float(cells[place]) for place in places])
            except ValueError:
                _refuse_cell(path, number, cells, names, places)
            numbers.append(number)
            if place_of_label is not None:
                cell = cells[place_of_label].strip()
                labels.append(known.setdefault(cell, (cell, number))[0])
    if not numbers:
        raise DataError(f"{path}: has no rows below its header")
    if label is not None:
        _check_labels(path, label, known.values())
        size = LABEL_BYTES * max(map(len, known)) * len(labels)
        check_memory(size, what=f"{path}: its labels", error=DataError)
    table = np.array(values).reshape(-1, len(places))
    if len(strange := np.argwhere(~(np.abs(table) <= np.finfo(np.float32).max))):
        row, column = strange[0]
        raise _no_number(path, numbers[row], columns[column], f"{table[row, column]:g}")
    return CsvTable(table.astype(np.float32), np.array(labels or [""] * len(numbers)), np.array(numbers, np.int64))


@contextmanager
def _opened(path: Path) -> Iterator[Iterator[tuple[int, list[str]]]]:
    """Yield the lines of a file as ``_lines`` does; DataError for what is no CSV file, found here or in the block."""
    with (
        opened(path, error=DataError) as file,
        decoding(path, "a CSV file", error=DataError),
        _decoding(path),
        io.TextIOWrapper(file, encoding_of(file.peek(2)), newline="") as text,
    ):
        yield _lines(text, path)


@contextmanager
def _decoding(path: Path) -> Iterator[None]:
    """Raise DataError, with what to do, for a text in another encoding than its beginning says."""
    try:
        yield
    except UnicodeDecodeError as error:
        wrong = error.object[error.start : error.end].hex(" ")
        raise DataError(
            f"{path}: is not in {error.encoding.upper()}, which has no {wrong}; "
            f"{_IN_UTF_8.format('LATIN1')} if it is in Latin-1"
        ) from error


def _lines(text: io.TextIOWrapper, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the names of the columns, then the cells of each line that is not empty, each with the line's number."""
    first, skipped = text.readline(LONGEST_HEADER), 0
    while first and not first.strip():
        first, skipped = text.readline(LONGEST_HEADER), skipped + 1
    if not first:
        raise DataError(f"{path}: has only empty lines; a table begins with a line that names its columns")
    if "\0" in first:
        raise DataError(
            f"{path}: holds bytes of 0, as a text in UTF-16 without its mark (BOM) does; {_IN_UTF_8.format('UTF-16LE')}"
        )
    if len(first) == LONGEST_HEADER:
        raise DataError(f"{path}: its first line is longer than {LONGEST_HEADER:,} characters: not a table of numbers")
    unquoted = re.sub('"[^"]*"', "", first)  # "length, cm" is one name
    rows = _rows(chain([first], text), path, delimiter=max(DELIMITERS, key=unquoted.count), skipped=skipped)
    last, cells = next(rows)
    names = [name.strip() for name in cells]
    if len(names) > MOST_COLUMNS:
        raise DataError(
            f"{path}: has {len(names):,} columns; allowed: {MOST_COLUMNS:,}; put longer rows into a .npz file"
        )
    if all(map(_is_number, names)):
        raise DataError(f"{path}: line {skipped + 1} holds numbers; it must name the columns")
    if "" in names:
        place = names.index("") + 1
        remedy = "name it, or remove it" if place > 1 else "from pandas, to_csv needs index=False"
        raise DataError(f"{path}: column {place} has no name in line {skipped + 1}; {remedy}")
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise DataError(f"{path}: two columns are called {_shown(twice[0])}; rename one")
    yield last, names
    yield from rows


def _rows(text: Iterable[str], path: Path, *, delimiter: str, skipped: int) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the cells of each line that is not empty. skipped: how many lines come before."""
    reader, last = csv.reader(text, delimiter=delimiter, strict=True), skipped
    try:
        for cells in reader:
            last = skipped + reader.line_num
            if cells:
                yield last, cells
    except csv.Error as error:
        raise DataError(
            f"{path}: line {last + 1}: the row that begins here cannot be read: {error}; is a quote left open?"
        ) from error


def _refuse_cell(path: Path, line: int, cells: Sequence[str], names: Sequence[str], places: Sequence[int]) -> None:
    place = next(place for place in places if not _is_number(cells[place]))
    raise _no_number(path, line, names[place], _shown(cells[place]) if cells[place].strip() else "empty")


def _no_number(path: Path, line: int, column: str, what: str) -> DataError:
    with_commas = "," in what and _is_number(what.strip("'").replace(".", "").replace(",", "."))
    remedy = "Save the table with decimal points" if with_commas else "Mend the cell or leave out its row or its column"
    return DataError(
        f"{path}: line {line}, column {_shown(column)} is {what}; allowed: numbers with a decimal point, not NaN or "
        f"infinity. {remedy}"
    )


def _check_labels(path: Path, label: str, labels: Iterable[tuple[str, int]]) -> None:
    """Raise DataError for labels that are no classes, each with the line where it is first."""
    for one, line in labels:
        is_class = one and len(one) <= LONGEST_LABEL and (not _is_number(one) or float(one).is_integer())
        if not is_class:
            what = f"{len(one):,} characters long" if len(one) > LONGEST_LABEL else one or "empty"
            raise DataError(
                f"{path}: line {line}: the label, column {_shown(label)}, is {printable(what)}; "
                f"allowed: whole numbers, and texts of up to {LONGEST_LABEL} characters. Mend it, leave out its row, "
                f"or name another column by --keys {LABEL}=NAME"
            )


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _shown(name: str) -> str:
    return f"'{printable(name[:LONGEST_LABEL])}'"
