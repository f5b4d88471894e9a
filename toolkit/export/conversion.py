"""Convert one prepared model into every artifact that was asked for, and go on where one cannot be made."""

import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit import extras, registry, runtimes
from toolkit.data.base import Split
from toolkit.errors import ArtifactError, MissingExtraError, ToolkitError
from toolkit.export.formats.base import LEAVE_OUT, Prepared, Request, refusal
from toolkit.files import FileName, naming, sha256
from toolkit.manifest import Artifact, Derived
from toolkit.step import OnStep, Step


@dataclass
class Converted:
    """What was made in a scratch folder. recorded: outputs for the golden's images, failures: why, by file name."""

    made: list[Artifact] = field(default_factory=list)
    derived: list[Derived] = field(default_factory=list)
    recorded: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def files(self) -> tuple[Artifact | Derived, ...]:
        """Everything that was made."""
        return (*self.made, *self.derived)


def convert_all(
    prepared: Prepared,
    pairs: Sequence[tuple[str, str]],
    request: Callable[[str], Request],
    *,
    name: str,
    golden_rows: Split,
    log: Path,
    on_step: OnStep,
) -> Converted:
    """Make ``name``'s files for the (format, quantization) pairs in the prepared model's scratch folder.

    What converters print goes to ``log``. Errors of the disk and missing packages end it; others are ``failures``.
    """
    converted = Converted()
    for number, (format_name, quantization) in enumerate(pairs, 1):
        module = registry.member("toolkit.export.formats", format_name, kind="format")
        path = prepared.work / f"{name}-{quantization}{module.SUFFIX}"
        try:
            with (
                extras.streams_to(log),
                naming(log.with_name(path.name)),
                _in_one_sentence(prepared, format_name, log),
            ):
                if module.MADE_FROM is None:
                    artifact, outputs = make(module, prepared, request(quantization), path, format_name, golden_rows)
                    converted.made.append(artifact)
                    converted.recorded[path.name] = outputs
                else:
                    converted.derived += _derive(module, path, format_name, request(quantization), converted.made)
        except (OSError, MissingExtraError):
            raise
        except ToolkitError as error:
            converted.failures[path.name] = str(error)
        on_step(Step(number, len(pairs), f"{path.name}{': failed' if path.name in converted.failures else ''}"))
    return converted


@contextmanager
def _in_one_sentence(prepared: Prepared, format_name: str, log: Path) -> Iterator[None]:
    """Raise ArtifactError, one sentence, for whatever a converter or runtime raises; their own words go to ``log``."""
    try:
        yield
    except (OSError, MissingExtraError):
        raise
    except Exception as error:
        with log.open("a", encoding="utf-8") as file:
            traceback.print_exc(file=file)
        if isinstance(error, ToolkitError):
            raise
        raise ArtifactError(refusal(str(error), prepared.layers, format_name=format_name)) from error


def make(
    module: Any, prepared: Prepared, request: Request, path: Path, format_name: str, golden_rows: Split
) -> tuple[Artifact, NDArray[np.float32]]:
    """Convert, then load and run the artifact, which is returned with its outputs for the images of the golden.

    One that does not run is not an artifact: the errors of converter and runtime are passed on.
    """
    details = module.convert(prepared, request, path)
    try:
        session = runtimes.open_session(path, threads=0)
        session.convention = request.convention
        outputs = session.predict(golden_rows.images)
    except ArtifactError as error:
        raise ArtifactError(f"it was converted, but does not run; {LEAVE_OUT.format(format_name)}") from error
    artifact = Artifact(
        path=FileName(path.name),
        format=format_name,
        quantization=request.quantization,
        sha256=sha256(path),
        size_bytes=path.stat().st_size,
        inputs=(session.input,),
        outputs=(session.output,),
        details=details,
    )
    return artifact, outputs


def _derive(
    module: Any, path: Path, format_name: str, request: Request, made: Sequence[Artifact]
) -> tuple[Derived, ...]:
    """Write an artifact of this export in another form; ArtifactError if it could not be made itself."""
    pair = (module.MADE_FROM, request.quantization)
    origin = next((artifact.path for artifact in made if (artifact.format, artifact.quantization) == pair), None)
    if origin is None:
        raise ArtifactError(
            f"it is made from the {request.quantization} {module.MADE_FROM}, which could not be exported"
        )
    files = module.derive(path.parent / origin, path, request.convention)
    return tuple(
        Derived(
            FileName(file.name), format_name, request.quantization, sha256(file), file.stat().st_size, made_from=origin
        )
        for file in files
    )
