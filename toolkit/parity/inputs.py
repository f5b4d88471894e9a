"""What a model's input and output mean, tried on training images, which the model should get right."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from toolkit import manifest, runs, units
from toolkit.convention import CAFFE, OPTION, STANDARD, TORCH, Convention, Layout, output_of
from toolkit.data.base import RowSubset, Split
from toolkit.errors import UsageError
from toolkit.parity import checks
from toolkit.parity.halves import Halves, clearly_better
from toolkit.parity.statistics import near_chance
from toolkit.runtimes.base import Predictor

# Training images that a range is tried on, and how many of them first, on which most ranges are clearly beaten.
IMAGES, FIRST_IMAGES = 300, 100
# Share of its training images that a model gets right at least, if an unusual range is to be its own.
KNOWN = 0.8
# Fewest images of a class, on average, by which an order of classes is told; and how many of them a message names.
OF_EACH, NAMED_CLASSES = 4, 12
# Which images a model gets right, (N,).
Right = NDArray[np.bool_]


def file_convention(
    path: Path, declared: Convention | None, layout: Layout, given: Convention | None = None
) -> Convention | None:
    """Return what the model of a file takes: as manifest, user, run or the file itself says; None if none does.

    declared: what the file says. layout: that of its input. given: what the user says of a file that no manifest lists.
    """
    if listed_by := manifest.listing(path):
        return listed_by.convention
    folder = runs.folder_of(path)
    told = given or (declared if folder is None else runs.convention_of(folder))
    return None if told is None else replace(told, layout=layout)


def session_convention(session: Predictor, given: Convention | None, rows: Split | None = None) -> Convention | None:
    """Return what is said of the input of a model, as ``file_convention`` has it.

    given: the range of pixels, as the user has it, of files that no manifest lists. rows: what it is to be asked about.
    Values are taken as they are; UsageError if a range is given for them.
    """
    if rows is not None and not rows.is_pixels:
        if given is not None:
            raise UsageError(f"{OPTION} says what pixels become, and the data are values: leave it out")
        return session.convention.taking(rows.images)
    return file_convention(session.path, session.declared, session.convention.layout, given)


def check(
    session: Predictor,
    chosen: Convention,
    training: Split | RowSubset,
    *,
    path: Path,
    warn: Callable[[str], None],
    advice: str = "give {}",
) -> Convention:
    """Return the chosen convention, and with it what the outputs of the model are.

    session: of the model at ``path``. Raises UsageError if another of the standard ranges is clearly better (exact
    McNemar test of the same images); warns if the model is near chance with all of them, or if no range explains as
    much as another order of the classes. advice: what to do then, with ``--input-range`` and its value for ``{}``.
    """
    rows = _sample(training)
    chosen, answers = _judged(session, chosen, rows)
    right = _right(answers, rows)
    if not (_is_chance(right, rows) or _can_be_beaten(right)):
        return chosen
    best, better = _best(session, chosen, rows, {chosen: right})
    order, renamed = _order(answers, rows)
    if order and clearly_better(better, renamed):
        shares = [units.percent(float(one.mean())) for one in (right, renamed)]
        warn(
            f"{path}: gets {shares[0]} of {len(rows)} training images right, but {shares[1]} if the classes of the "
            f"data, one after the other, are its outputs {units.first(order, NAMED_CLASSES)}: it knows them in another "
            "order; rename the classes so that they sort in that order"
        )
    elif _is_chance(max(right, better, key=np.count_nonzero), rows):
        _warn_of_chance(path, {chosen: right, best: better}, warn)
    elif clearly_better(right, better):
        shares = [units.percent(float(one.mean())) for one in (better, right)]
        raise UsageError(
            f"{path}: gets {shares[0]} of {len(rows)} training images right with {best}, {shares[1]} with {chosen}: "
            + advice.format(f"{OPTION} {best}")
        )
    return chosen


def choose(session: Predictor, training: Split, *, path: Path, warn: Callable[[str], None]) -> Convention:
    """Return the standard range with which a model gets most training images right, and warn that it was guessed."""
    rows = _sample(training)
    like, answers = _judged(session, session.convention, rows)
    best, right = _best(session, like, rows, {like: _right(answers, rows)})
    if _is_chance(right, rows):
        _warn_of_chance(path, {best: right}, warn)
    else:
        share = units.percent(float(right.mean()))
        warn(
            f"{path}: no manifest says what pixels become; {best} is taken, with which {share} of {len(rows)} training "
            f"images are right ({OPTION} says otherwise)"
        )
    return best


def _sample(training: Split | RowSubset) -> Split:
    count = min(IMAGES, len(training))
    return training.rows(np.sort(np.random.default_rng(0).choice(len(training), size=count, replace=False)))


def _judged(session: Predictor, convention: Convention, rows: Split) -> tuple[Convention, NDArray[np.float32]]:
    """Return a convention with what the outputs are, which they tell if nobody has said it, and the answers."""
    session.convention = replace(convention, output=None)
    outputs = session.predict(rows.images)
    checks.require_classes(outputs, path=session.path)
    judged = convention.output or output_of(outputs, step=session.output.scale)
    session.convention = convention = replace(convention, output=judged)
    return convention, convention.answers(outputs)


def _best(
    session: Predictor, like: Convention, rows: Split, known: dict[Convention, Right]
) -> tuple[Convention, Right]:
    """Return the range with which the model gets most images right, the rest as in ``like``, and which.

    known: which are right with what was tried already. What only images in colour can have is taken if the model is
    clearly better with it than with the standard ranges, some of which are alike, and knows the images then: one of
    other classes may get some right in an odd range. Values have no range: they are tried as they are.
    """

    def most(ranges: Iterable[Convention]) -> tuple[Convention, Right]:
        """Return the range with which the model gets most images right, the first of several, and which."""
        tried = [replace(like, low=one.low, high=one.high, bgr=one.bgr) for one in ranges]
        known.update(_promising(session, tried, rows, known))
        best = max((one for one in tried if one in known), key=lambda one: np.count_nonzero(known[one]))
        return best, known[best]

    if like.layout == Layout.VALUES:
        return like, known[like]
    best, right = most(STANDARD)
    if rows.images.shape[-1] > 1 and _can_be_beaten(right):
        other, right_then = most((replace(best, bgr=True), TORCH, CAFFE))
        if right_then.mean() >= KNOWN and clearly_better(right, right_then):
            return other, right_then
    return best, right


def _promising(
    session: Predictor, ranges: Sequence[Convention], rows: Split, known: Mapping[Convention, Right]
) -> dict[Convention, Right]:
    """Return which images are right with those of the ranges that may be the best, without what is known.

    All are tried on the first images. Where the best is near chance on them, it alone is tried on the others.
    """
    is_first = np.arange(len(rows)) % max(1, len(rows) // FIRST_IMAGES) == 0
    first, others = (rows.rows(np.flatnonzero(which)) for which in (is_first, ~is_first))

    def ask(one: Convention, asked: Split) -> Right:
        session.convention = one
        return _right(session.predict(asked.images), asked)

    early = {one: known[one][is_first] if one in known else ask(one, first) for one in ranges}
    best = max(ranges, key=lambda one: np.count_nonzero(early[one]))
    is_chance = _is_chance(early[best], first)
    judged: dict[Convention, Right] = {}
    for one in ranges:
        if one not in known and (one == best if is_chance else not clearly_better(early[one], early[best])):
            judged[one] = right = np.empty(len(rows), np.bool_)
            right[is_first] = early[one]
            if len(others):
                right[~is_first] = ask(one, others)
    return judged


def _order(answers: NDArray[np.float32], rows: Split) -> tuple[tuple[int, ...], Right]:
    """Return which of the outputs are the classes of the data, and which images are right then.

    No outputs if they clearly are in the order of the classes, or if there are too few images to tell.
    """
    picked, classes = answers.argmax(axis=1), max(answers.shape[1], int(rows.labels.max()) + 1)
    shuffled = np.random.default_rng(0).permutation(len(rows))  # rows may be sorted by class
    halves = Halves(rows.labels[shuffled], classes)
    if len(rows) < OF_EACH * classes:
        return (), _right(answers, rows)
    order = halves.order(picked[shuffled])
    renamed = halves.renamed(picked, order)
    right = renamed == rows.labels
    is_known = right.mean() >= KNOWN and not _is_chance(right, rows)
    return order if is_known and halves.better(picked[shuffled], renamed[shuffled]) else (), right


def _right(answers: NDArray[np.float32], rows: Split) -> Right:
    """Return which images the answers, (N, classes), are right for."""
    return np.asarray(np.isfinite(answers).all(axis=1) & (answers.argmax(axis=1) == rows.labels))


def _can_be_beaten(right: Right) -> bool:
    """Say whether another range could be clearly better: with one that gets all images right."""
    return clearly_better(right, np.ones_like(right))


def _is_chance(right: Right, rows: Split) -> bool:
    return near_chance(int(right.sum()), np.bincount(rows.labels).tolist())


def _warn_of_chance(path: Path, tried: Mapping[Convention, Right], warn: Callable[[str], None]) -> None:
    figures = ", ".join(f"{int(right.sum())} as {one}" for one, right in tried.items())
    count = len(next(iter(tried.values())))
    warn(
        f"{path}: near chance in every input range (of {count} training images right: {figures}): "
        "is this the data that the model was made for?"
    )
