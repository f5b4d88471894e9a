"""The steps of the road: train, export, bench, and the use of an artifact. ``parity`` has the one between them."""

from collections.abc import Mapping, Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from toolkit import extras
from toolkit.api.base import BENCHMARKS, EXPORTED
from toolkit.errors import warn
from toolkit.step import OnStep, Step, ignore

if TYPE_CHECKING:
    from toolkit.bench.plan import PlanOptions
    from toolkit.bench.record import Record
    from toolkit.export.exporter import Exported
    from toolkit.export.sources import Source
    from toolkit.prediction import Prediction, Refused
    from toolkit.reading import Reading
    from toolkit.runtimes.base import Session
    from toolkit.training.fit import Trained
    from toolkit.training.recipe import RecipeOptions


# What ``train`` does before a long training, once for each model on each machine.
TRYING = "trying how this machine computes it fastest, which is done once for this model"


def bench(
    *paths: str | PathLike[str],
    output: str | PathLike[str] = BENCHMARKS,
    explain: bool = False,
    instructions: bool = False,
    tune: bool = False,
    shapes: Mapping[str, Sequence[int]] | None = None,
    imports: Sequence[str | PathLike[str]] = (),
    unsafe_lambda: bool = False,
    runtime: str | None = None,
    on_step: OnStep = ignore,
    **plan: "Unpack[PlanOptions]",
) -> "Record":
    """Time artifacts, anybody's, on the installed runtimes of this machine; Ctrl-C ends it, with what was measured.

    paths: artifacts or folders of them; none stands for ``exported/``. output: the folder that gets a folder with the
    record and its raw samples. explain: also show operators, their times, and the share of what the CPU can do.
    instructions: also count those of one inference of each artifact, into ``.instructions`` of the record, by path.
    tune: also try the settings of each artifact's runtime beside the usual ones, into ``.tuned``, by path.
    shapes: of inputs, by name, with more sizes free than the batch. imports, unsafe_lambda: as for ``export``. runtime:
    what runs the artifacts, and no others than its own; None stands for what does so by itself. plan: ``threads`` and
    ``batches`` (images per inference), each several numbers; ``seconds`` of measuring each configuration over its
    ``processes``; ``rate``, images a second, to time inferences at the pace of a camera as well; ``seed`` of the order
    of turns; ``budgets`` of what is recommended, a ``toolkit.bench.advice.Requirements``.

    ``.results`` has one for each artifact, number of threads and batch size, in seconds and bytes; ``.failures`` says
    why an artifact could not be measured; ``.recommended`` is what to ship, None if nothing fits; ``.to_json()`` is
    the document of ``toolkit bench --json``. Raises ArtifactError if nothing is there to measure, or a file is not
    the one that its manifest lists, UsageError for a plan that makes no sense, or if nothing here counts instructions.
    """
    from toolkit.bench import candidates, schedule
    from toolkit.bench import tune as tuning
    from toolkit.bench.explain import explain as add_reasons
    from toolkit.bench.instructions import counted, emulator_for
    from toolkit.bench.plan import Plan
    from toolkit.bench.record import new_folder
    from toolkit.runtimes import choosing
    from toolkit.runtimes.keras.loading import allowing

    asked = Plan(**plan)
    with choosing(runtime):
        chosen = candidates.select([Path(path) for path in paths or (EXPORTED,)], shapes=shapes or {}, warn=warn)
    if instructions:
        emulator_for(None)
    if tune:
        tuning.require_latencies()
    folder = new_folder(Path(output))
    with allowing(imports, unsafe_lambda=unsafe_lambda):
        candidates.check_shapes([one.path for one in chosen], shapes or {})
        record = schedule.bench(chosen, folder, asked, on_step=lambda progress: on_step(progress.step))
        if not record.interrupted:
            add_reasons(record, everything=explain, shapes=shapes, on_step=on_step)
        if tune and not record.interrupted:
            tuning.add(record, chosen, asked, warn=warn, on_step=on_step)
        if instructions and not record.interrupted:
            counted.add(record, chosen, warn=warn, on_step=on_step)
    return record


def default_artifact() -> Path:
    """Return the most accurate verified artifact of ``exported/`` that answers here as where it was exported.

    Raises ArtifactError if there is none.
    """
    from toolkit.prediction import default_model

    return default_model(EXPORTED, warn=warn)


def export(
    source: "str | PathLike[str] | Source",
    *,
    format: str | Sequence[str] = (),
    quantize: str | Sequence[str] = (),
    data: str | PathLike[str] | None = None,
    output: str | PathLike[str] = EXPORTED,
    calibration: int | None = None,
    reading: "Reading | None" = None,
    seed: int = 0,
    input_shape: tuple[int, int, int] | None = None,
    imports: Sequence[str | PathLike[str]] = (),
    unsafe_lambda: bool = False,
    input_range: str | None = None,
    allow_overlap: bool = False,
    on_step: OnStep = ignore,
) -> "Exported":
    """Export a model into its folder of ``output``, with a manifest: a run, an earlier export, a Keras file.

    format: ``tflite``, ``onnx``, ``c``; none stands for the first two. quantize: ``float32``, ``float16``, ``dynamic``,
    ``int8``, ``mixed``; none stands for all that a format has but ``mixed``, which is int8 with the layers in float
    that int8 costs most accuracy. data: where calibration images come from, by name or path; None stands for what the
    run was trained on. reading: how they are read; None stands for how the run read them. calibration: how many
    training images int8 takes its ranges from; None stands for 500, at least 100 of large ones, or all if there are
    fewer. seed: of their choice. input_shape: (height, width, channels) where the model takes images of any size; None
    stands for those of the data. imports: Python files with the layers of the model that are not Keras' own.
    unsafe_lambda: run the Python code that Lambda layers hold. input_range: which values the pixels become for the
    model, as ``--input-range`` takes it; None stands for what the model itself says, else ``0..1``. allow_overlap: go
    on where test images are training images too.

    As a path, the result is the folder; ``.made`` has the files, ``.failures`` says why one could not be made,
    ``.to_json()`` is the document of ``toolkit export --json``. Raises ExportFailedError if none could be made,
    RunError or ArtifactError for a source that is unfinished, damaged or no classifier of images, UsageError for an
    input range that is clearly not the model's, DataError for data that cannot be had or overlap, BusyError if
    another process writes there, MissingExtraError without TensorFlow.
    """
    from toolkit.convention import parse
    from toolkit.data import load
    from toolkit.export import conversion, exporter, formats, sources
    from toolkit.runtimes.keras.loading import allowing

    extras.require("tensorflow")
    pairs = formats.plan(_several(format), _several(quantize))
    convention = None if input_range is None else parse(input_range)
    resolved = source if isinstance(source, sources.Source) else sources.resolve(fspath(source))
    choice = resolved.data if data is None else fspath(data)
    with allowing(imports, unsafe_lambda=unsafe_lambda), conversion.converting(resolved.keras_path) as converter:
        dataset = load(choice, warn=warn, reading=resolved.reading_for(choice, reading, input_shape, converter.try_out))
        text = f"exporting {resolved.saved_model or resolved.keras_path}, with '{dataset.name}' ({dataset.origin})"
        on_step(Step(0, len(pairs), text, resolved))
        return exporter.export(
            resolved,
            dataset,
            Path(output) / resolved.name,
            exporter.ExportOptions(pairs, calibration, seed, convention, input_shape),
            warn=warn,
            converter=converter,
            allow_overlap=allow_overlap,
            on_step=on_step,
        )


def find_sources(*names: str | PathLike[str]) -> "list[Source]":
    """Return what can be exported: runs, by name or folder, folders of exports, Keras files.

    names: none stands for the newest run of each model. Raises UsageError for a name that stands for nothing, and for
    two of one model, whose files would overwrite each other, RunError if there is no run, MissingExtraError without
    TensorFlow.
    """
    from toolkit.export.sources import resolve_all

    extras.require("tensorflow")
    return resolve_all([fspath(name) for name in names])


def open_session(artifact: str | PathLike[str], *, threads: int = 1) -> "Session":
    """Load an artifact on the runtime of its suffix, in this process: ``.predict(images)`` gives (N, classes) float32.

    threads: of the runtime; 0 leaves their number to it. ``.convention`` says which values the pixels become: those of
    the manifest that lists the file, else what the file itself says, else 0 to 1; for others set it to
    ``toolkit.convention.parse("0..255")``. A session is not for several threads at once. Raises ArtifactError for a
    file that cannot be loaded, MissingExtraError if its runtime is not installed, UsageError if none runs such
    files. Open only files that you trust: what a runtime does with a damaged one, it does here.
    """
    from toolkit import manifest, runtimes

    path = Path(artifact)
    session = runtimes.open_session(path, threads=threads)
    if listed_by := manifest.listing(path):
        session.convention = listed_by.convention
    return session


def predict(
    images: Sequence[str | PathLike[str]],
    artifact: str | PathLike[str] | None = None,
    *,
    input_range: str | None = None,
    labels: str | PathLike[str] | None = None,
    imports: Sequence[str | PathLike[str]] = (),
    unsafe_lambda: bool = False,
    every_digit: bool = False,
    explain: str | PathLike[str] | None = None,
) -> "list[Prediction | Refused]":
    """Classify image files of any size, in a process of its own; None stands for ``default_artifact()``.

    input_range: which values the pixels become, as ``--input-range`` takes it, for an artifact without a manifest.
    labels: a text file that names its classes, a line each; without, and without a manifest, they are numbers. imports,
    unsafe_lambda: as for ``export``.
    every_digit: of photos of handwritten digits, read each digit, in reading order; else an image with several is
    refused. explain: where to write a picture of how a single image was read, a .png file. The result has one for each
    image or digit: a ``Prediction`` with the two likeliest ``.classes``, their ``.probabilities``, the digit's ``.box``
    and the ``.novelty``, which says whether it is none of the classes (None if the model has no score), or a
    ``Refused`` with the ``.error`` of an image that cannot be read. Raises ArtifactError if the artifact is missing,
    damaged or no classifier of images, UsageError if it must be known what pixels become.
    """
    from toolkit import prediction
    from toolkit.convention import parse
    from toolkit.labels import read
    from toolkit.runtimes.keras.loading import allowing

    names = None if labels is None else read(Path(labels))
    given = None if input_range is None else parse(input_range)
    picture = None if explain is None else Path(explain)
    files = [Path(image) for image in images]
    with allowing(imports, unsafe_lambda=unsafe_lambda):
        model = default_artifact() if artifact is None else Path(artifact)
        return prediction.predict(
            files, model, given=given, labels=names, every_digit=every_digit, explain=picture, warn=warn
        )


def train(
    model: str | None = None,
    *,
    data: str | PathLike[str] | None = None,
    name: str | None = None,
    resume: bool = False,
    device: str = "auto",
    strategy: str = "single",
    reading: "Reading | None" = None,
    gradients: bool = False,
    imports: Sequence[str | PathLike[str]] = (),
    unsafe_lambda: bool = False,
    allow_overlap: bool = False,
    on_step: OnStep = ignore,
    **recipe: "Unpack[RecipeOptions]",
) -> "Trained":
    """Train a model into ``runs/NAME/``: best weights, history, charts.

    model: ``cnn`` (None stands for it), ``mlp``, the path of a Python file with ``build`` (docs/own-model.md), which is
    run, or of a ``.keras`` file, whose weights are trained further. data: by name or path, as ``--data`` takes it; None
    stands for ``auto``, or for what the resumed run was trained on. name: of the run; None stands for the model and the
    time. resume: go on with the run of that name, or the newest; what is given must fit what it was started with, only
    ``epochs`` may grow. device: ``auto``, ``gpu`` or ``cpu``. strategy: ``single``, or ``mirrored`` over all GPUs.
    gradients: also write each layer's gradient norm. imports, unsafe_lambda, allow_overlap: as for ``export``, the
    first two also of a teacher. recipe: the fields of a ``toolkit.training.recipe.Recipe``, which says what each means.

    As a path, the result is the run's folder; ``.test.accuracy`` is in [0, 1], ``.progress.history`` has the epochs,
    ``.to_json()`` is the document of ``toolkit train --json``. Ctrl-C ends it after the last whole epoch, with
    ``.interrupted``; ``.stopped_early`` says that its patience did. Raises UsageError for a recipe that makes no sense,
    DataError for data that cannot be had or overlap, RunError for a run that exists or cannot go on, DivergedError if
    the loss is no longer a number, BusyError while another process trains there, MissingExtraError without TensorFlow.
    """
    from toolkit import runs
    from toolkit.data import load
    from toolkit.models import weights_files
    from toolkit.runtimes.keras.loading import allowing
    from toolkit.training import fit, folders
    from toolkit.worker.keras import reading_for

    options = recipe if model is None else {**recipe, "model": model}
    asked = folders.go_on if resume else folders.begin
    chosen, choice, folder = asked(options, None if data is None else fspath(data), name)
    extras.require("tensorflow")
    runs.remove_leftovers()
    with allowing(imports, unsafe_lambda=unsafe_lambda):
        recorded = runs.reading_of(folder) if resume else None
        return fit.train(
            chosen,
            load(choice, warn=warn, reading=reading_for(choice, reading, recorded, *weights_files(chosen.model))),
            folder,
            device_choice=device,
            strategy_choice=strategy,
            resume=resume,
            gradients=gradients,
            allow_overlap=allow_overlap,
            warn=warn,
            on_trial=lambda: on_step(Step(0, chosen.epochs, TRYING, is_news=True)),
            on_start=lambda started: on_step(Step(started.epochs_done, chosen.epochs, "", started)),
            on_epoch=lambda epoch: on_step(Step(epoch.epoch, chosen.epochs, str(epoch), epoch)),
        )


def _several(names: str | Sequence[str]) -> Sequence[str]:
    return [names] if isinstance(names, str) else names
