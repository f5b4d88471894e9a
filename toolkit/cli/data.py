"""``toolkit data``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toolkit.cli.options import Debug, ImageSize, Json, Keys, ResizeTo, SkipUnreadable, Stride, Window, reading
from toolkit.console import Column, Console

if TYPE_CHECKING:
    from toolkit.reading import Reading


def command(
    names: Annotated[
        list[str] | None, typer.Argument(help="Data sets to check: names or paths; default: list all sources.")
    ] = None,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Download the named data sets where they are missing.")
    ] = False,
    image_size: ImageSize = None,
    resize: ResizeTo = None,
    skip_unreadable: SkipUnreadable = False,
    keys: Keys = None,
    window: Window = None,
    stride: Stride = None,
    json: Json = False,
    debug: Debug = False,
) -> int:
    """Show, check and download data sets.

    Without names it lists all sources. The digests of the named ones are checked.
    """
    from toolkit.errors import UsageError

    if "auto" in (names or []):
        raise UsageError("'auto' is a choice between sources, not one of them; name mnist or sample")
    if fetch and not names:
        raise UsageError("--fetch needs the names of data sets, for example: toolkit data mnist --fetch")
    console = Console(json_output=json)
    asked = reading(image_size, resize, skip_unreadable, keys, window, stride)
    if asked and not names:
        raise UsageError("what is read needs a path, for example: toolkit data photos --image-size 96x96")
    result = _check(console, names, asked, fetch=fetch) if names else _list(console)
    console.document({"schema": 1, "command": "data", "results": result})
    return 0


def _list(console: Console) -> list[dict[str, Any]]:
    """List every source."""
    from toolkit.data import named_sources, sources

    named = named_sources()
    results = []
    for name, module in sources().items():
        place = module.locate() if name in named else None
        kind = "name" if name in named else "path"
        results.append(
            {"source": name, "given_by": kind, "summary": module.SUMMARY, "path": str(place) if place else None}
        )
    results.sort(key=lambda result: result["given_by"])
    columns = (Column("source", figures=False), Column("what it is", figures=False), Column("where", figures=False))
    absent = {"name": "not on this machine", "path": "give its path by --data"}
    console.table(columns, [(r["source"], r["summary"], r["path"] or absent[r["given_by"]]) for r in results])
    return results


def _check(console: Console, names: list[str], reading: "Reading | None", *, fetch: bool) -> list[dict[str, Any]]:
    """Load the named data sets, which holds digests against the published ones, and looks at the pixels of others."""
    from toolkit import data
    from toolkit.errors import DataUnavailableError
    from toolkit.reading import AS_THEY_ARE

    results = []
    for name in names:
        module = data.named_sources().get(name)
        if module is not None and module.locate() is None and not fetch:
            raise DataUnavailableError(f"{name} is not on this machine; add --fetch to download it")
        warnings: list[str] = []

        def warn(text: str, warnings: list[str] = warnings) -> None:
            warnings.append(text)
            console.warn(text)

        dataset = data.load(name, warn=warn, reading=reading or AS_THEY_ARE)
        results.append(
            {
                "source": dataset.name,
                "path": str(Path(dataset.origin)),
                **{part: len(split) for part, split in dataset.splits.items()},
                "input_shape": list(dataset.input_shape),
                "classes": list(dataset.class_names),
                "digests": dataset.digests,
                "warnings": warnings,
            }
        )
        console.text(
            f"{dataset.name}: {dataset.counts} {dataset.rows_are}, {dataset.classes} classes, from {dataset.origin}"
        )
        for part, digest in dataset.digests.items():
            console.text(f"  {part.replace('_', ' '):13} sha256 {digest}")
    return results
