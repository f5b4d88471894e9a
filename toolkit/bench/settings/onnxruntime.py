"""Settings of ONNX Runtime's SessionOptions, and of how a session is run."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from toolkit import extras
from toolkit.bench.settings.base import Setting
from toolkit.errors import ArtifactError
from toolkit.runtimes.base import Session, as_artifact_error
from toolkit.runtimes.onnxruntime import PACKAGE, OnnxSession, open_with

# Beside the level that is usual, ORT_ENABLE_ALL.
_LEVELS = {"no": "ORT_DISABLE_ALL", "basic": "ORT_ENABLE_BASIC", "extended": "ORT_ENABLE_EXTENDED"}


class _Unbound(OnnxSession):
    """A session that is given its inputs at each run, as most programs do it, where toolkit binds them."""

    _feed: dict[str, NDArray[Any]]
    _outputs: list[NDArray[Any]]

    def set_inputs(self, values: Sequence[NDArray[Any]]) -> None:
        """Keep the inputs for the next run."""
        self._feed = {spec.name: value for spec, value in zip(self.inputs, values, strict=True)}

    def invoke(self) -> None:
        """Run the session once."""
        with as_artifact_error(self.path, "ONNX Runtime cannot run it"):
            self._outputs = self._session.run(None, self._feed)

    @property
    def native_invoke(self) -> Callable[[], object]:
        """The session's own call."""
        return partial(self._session.run, None, self._feed)

    def read_outputs(self) -> list[NDArray[Any]]:
        """Return what the last run gave, which is nobody else's."""
        return self._outputs


def _level(name: str) -> Callable[[Any], None]:
    def change(options: Any) -> None:
        options.graph_optimization_level = getattr(extras.load(PACKAGE).GraphOptimizationLevel, name)

    return change


def _without_arena(options: Any) -> None:
    options.enable_cpu_mem_arena = False


def _fixed_batch(path: Path) -> Session:
    """Open a file with its first size fixed to 1; ArtifactError if that is not free."""
    free = open_with(path).free
    if not free:
        raise ArtifactError(f"{path}: its batch is fixed already, or has no name to fix it by")

    def change(options: Any) -> None:
        for name in free:
            options.add_free_dimension_override_by_name(name, 1)

    return open_with(path, change=change)


SETTINGS = (
    *(
        Setting(
            f"{words} graph optimization",
            f"options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.{name}",
            partial(open_with, change=_level(name)),
        )
        for words, name in _LEVELS.items()
    ),
    Setting("without arena", "options.enable_cpu_mem_arena = False", partial(open_with, change=_without_arena)),
    Setting(
        "batch fixed to 1",
        'options.add_free_dimension_override_by_name("batch", 1)  # or what the file calls it',
        _fixed_batch,
    ),
    Setting("2 threads", "options.intra_op_num_threads = 2", partial(open_with, threads=2), threads=2),
    Setting("without IO binding", "session.run(None, {name: image})", partial(open_with, kind=_Unbound)),
)
