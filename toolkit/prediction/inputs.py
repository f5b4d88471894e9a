"""What the input of a model is to be given, of a file that may come from anywhere."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from toolkit.convention import OPTION, Convention, Layout, byte_range
from toolkit.errors import UsageError
from toolkit.manifest import Manifest, TensorSpec
from toolkit.parity import inputs
from toolkit.runtimes.base import Predictor


def convention_of(
    session: Predictor, manifest: Manifest | None, given: Convention | None, warn: Callable[[str], None]
) -> Convention:
    """Return what input and output of an artifact mean: as the manifest, the user or the file itself says."""
    if manifest is not None and given is not None and str(given) != str(manifest.convention):
        raise UsageError(f"{session.path}: its manifest says {manifest.convention}; leave out {OPTION}")
    if session.convention.layout == Layout.VALUES and manifest is None:
        if given is not None:
            raise UsageError(f"{session.path}: takes rows of values, and {OPTION} is about pixels; leave it out")
        return session.convention
    spec = session.input
    if said := inputs.session_convention(session, given):
        if manifest is None and spec.scale:
            _require_held(said, spec, path=session.path)
        return said
    if np.dtype(spec.dtype).kind in "iu":
        steps = "" if spec.scale is None else f" (scale {spec.scale:.4g}, zero point {spec.zero_point})"
        plainly = f"; {byte_range(spec)} hands over the bytes of pixels as they are" if spec.scale else ""
        raise UsageError(
            f"{session.path}: takes {spec.dtype}{steps}, which can stand for pixels in any range; "
            f"give {OPTION}, such as 0..1, 0..255 or -1..1{plainly}"
        )
    warn(f"{session.path}: no manifest says in which range it takes pixels; 0..1 is assumed ({OPTION})")
    return session.convention


def _require_held(convention: Convention, spec: TensorSpec, *, path: Path) -> None:
    """Raise UsageError if an input with a scale cannot hold most of what pixels become: they would all look alike."""
    plain = byte_range(spec)
    (least,), (most,) = plain.low, plain.high
    for low, high in map(sorted, zip(convention.low, convention.high, strict=True)):
        if min(high, most) - max(low, least) < (high - low) / 2:
            raise UsageError(
                f"{path}: its input holds {least:.4g} to {most:.4g}, so most of {convention} would be cut off; give "
                f"another {OPTION}; {plain} hands over the bytes of pixels as they are"
            )
