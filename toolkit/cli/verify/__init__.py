"""``toolkit verify``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toolkit import api, drawing
from toolkit.cli import devices
from toolkit.cli.devices import On, Wheels
from toolkit.cli.options import (
    EXPORTED,
    AllowOverlap,
    Debug,
    ImageSize,
    Json,
    Keys,
    Paths,
    ResizeTo,
    SkipUnreadable,
    reading,
)
from toolkit.cli.verify import questions, tables
from toolkit.cli.verify.tables import EXIT_CODES
from toolkit.console import Console
from toolkit.errors import UsageError
from toolkit.parity.statistics import DEFAULT_MARGIN_PP

if TYPE_CHECKING:
    from toolkit.parity.verify import Parity


def command(
    paths: Paths = None,
    data: Annotated[
        str | None, typer.Option(help="The data set whose test images are used; default: the manifest's.")
    ] = None,
    margin: Annotated[float, typer.Option(help="Accuracy that may be lost, in percentage points.")] = DEFAULT_MARGIN_PP,
    golden: Annotated[
        bool, typer.Option("--golden", help="Compare with golden.npz: no TensorFlow and no data set needed.")
    ] = False,
    save: Annotated[
        bool, typer.Option("--save", help="Write a parity record, and the results into the manifests.")
    ] = False,
    flips: Annotated[
        Path | None, typer.Option(help="A picture to write: the images that an artifact classifies otherwise.")
    ] = None,
    allow_overlap: AllowOverlap = False,
    localize: Annotated[
        Path | None, typer.Option(help="An artifact to compare with Keras layer by layer, on golden.npz.")
    ] = None,
    picture: Annotated[Path, typer.Option(help="What --localize draws.")] = Path("layers.png"),
    recompute: Annotated[
        Path | None, typer.Option(help="A parity record whose every figure is rebuilt from its images.")
    ] = None,
    self_test: Annotated[
        bool, typer.Option("--self-test", help="Plant faults into copies of the artifacts, and show what catches each.")
    ] = False,
    reexports: Annotated[int, typer.Option(help="Faultless exports that --self-test judges as well.")] = 20,
    on: On = None,
    wheels: Wheels = None,
    image_size: ImageSize = None,
    resize: ResizeTo = None,
    skip_unreadable: SkipUnreadable = False,
    keys: Keys = None,
    json: Json = False,
    debug: Debug = False,
) -> int:
    """Prove that artifacts classify like the Keras original, or say no. Exit code: 0 pass, 1 fail, 3 inconclusive."""
    from toolkit.parity.verify import VerifyOptions

    asked = {"--recompute": recompute is not None, "--localize": localize is not None, "--self-test": self_test}
    besides = {"--golden": golden, "--save": save, "--flips": flips is not None}
    devices.check(on, wheels)
    read_as = reading(image_size, resize, skip_unreadable, keys)
    of_test_sets = {
        "--data": data is not None,
        "--margin": margin != DEFAULT_MARGIN_PP,
        "--allow-overlap": allow_overlap,
        "--image-size, --resize, --skip-unreadable or --keys": read_as is not None,
    }
    _check(asked, besides, of_test_sets if on else None)
    console, where = Console(json_output=json), paths or [EXPORTED]
    if on:
        from toolkit.cli.devices.verify import command as on_devices

        return on_devices(console, on, where, wheels=wheels)
    if recompute is not None:
        return questions.recompute(console, recompute)
    if localize is not None:
        return questions.localize(console, localize, picture)
    if self_test:
        options = VerifyOptions(data, by_golden=golden, margin_pp=margin, allow_overlap=allow_overlap, reading=read_as)
        return questions.self_test(console, where, options, reexports)
    if flips is not None:
        drawing.check(flips)
    with console.steps("verifying") as show:
        parity = api.verify(
            *where,
            data=data,
            golden=golden,
            margin_pp=margin,
            reading=read_as,
            allow_overlap=allow_overlap,
            on_step=show,
        )
    tables.report(console, parity)
    tables.explain(console, parity)
    _keep(console, parity, save=save, flips=flips)
    console.document(parity.to_json())
    return EXIT_CODES[parity.verdict]


def _check(asked: dict[str, bool], besides: dict[str, bool], on_device: dict[str, bool] | None) -> None:
    """Refuse options that do not go together. asked: the other questions; on_device: what is not for devices."""

    def given(*options: dict[str, bool]) -> list[str]:
        return [name for several in options for name, is_given in several.items() if is_given]

    if len(given(asked)) > 1:
        raise UsageError(f"{', '.join(asked)} are three questions; ask one at a time")
    if given(asked) and given(besides):
        raise UsageError(f"{given(asked)[0]} does not go with {', '.join(given(besides))}")
    if on_device is not None and (unused := given(asked, on_device, {**besides, "--golden": False})):
        raise UsageError(f"--on compares by golden on a device; it does not go with {', '.join(unused)}")
    if besides["--golden"] and besides["--save"]:
        raise UsageError("results by golden measure no accuracy and are not saved; leave out --golden or --save")


def _keep(console: Console, parity: "Parity", *, save: bool, flips: Path | None) -> None:
    """Save records and draw flips, where that is asked for."""
    from toolkit.parity import flips as pictures
    from toolkit.parity import record

    if save:
        for part in parity.parts:
            record.check_savable(part)
        for part in parity.parts:
            console.text(f"record: {record.save(part)}")
    if flips is not None:
        console.text(f"{pictures.draw(flips, parity.parts)} images in {flips}")
