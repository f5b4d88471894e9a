"""What the parts of a training have in common, whichever network each of them trains."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit import extras
from toolkit.data.base import Dataset
from toolkit.data.base.parts import Parts, divide
from toolkit.errors import UsageError
from toolkit.overlap import Overlap
from toolkit.runtimes.keras.loading import allowing
from toolkit.training import checkpoint, device, distillation
from toolkit.training.arithmetic import Arithmetic, load_tensorflow
from toolkit.training.checkpoint import STATE, TrainingProgress
from toolkit.training.distillation import Teacher
from toolkit.training.recipe import Recipe


@dataclass(frozen=True)
class Setup:
    """What a training works with.

    shared: images that two splits have in common. device: its name. strategy: of ``tf.distribute``, None for one
    device. gradients: whether each layer's gradient norm is measured after each epoch. tries_range: whether it is tried
    on training images which range of pixels a Keras file takes; a run that goes on knows it.
    """

    tf: Any
    keras: Any
    recipe: Recipe
    parts: Parts
    folder: Path
    shared: tuple[Overlap, ...]
    arithmetic: Arithmetic
    device: str
    strategy: Any
    teacher: Teacher | None
    progress: TrainingProgress
    gradients: bool
    resume: bool
    tries_range: bool
    warn: Callable[[str], None]

    @property
    def additions(self) -> tuple[str, ...]:
        """What it does beyond the plain training, a few words each."""
        taught = () if self.teacher is None else self.teacher.words
        return (*self.recipe.additions, *taught, *self.arithmetic.words)


def set_up(
    recipe: Recipe,
    dataset: Dataset,
    folder: Path,
    arithmetic: Arithmetic,
    *,
    device_choice: str,
    strategy_choice: str,
    resume: bool,
    gradients: bool,
    allow_overlap: bool,
    tries_range: bool,
    warn: Callable[[str], None],
) -> Setup:
    """Load TensorFlow, divide the data, choose the device, load the teacher; raises what ``fit.train`` says."""
    tf = load_tensorflow(arithmetic, warn=warn)
    parts = divide(dataset, share=recipe.validation_split, seed=recipe.seed)
    for note in parts.notes:
        warn(note)
    shared = parts.shared_images(allowed=allow_overlap or resume)
    check_augmentation(recipe, dataset)
    device_name = device.choose(tf, device_choice)
    strategy = device.strategy(tf, strategy_choice)
    if strategy is not None:
        device_name = f"{strategy.num_replicas_in_sync} × {device_name}, mirrored"
    teacher = None
    if recipe.teacher is not None:
        with allowing(recipe.code_files):
            teacher = Teacher(tf, distillation.find(recipe.teacher), parts)
    progress = checkpoint.load_progress(folder / STATE) if resume else TrainingProgress()
    return Setup(
        tf=tf,
        keras=extras.load("keras"),
        recipe=recipe,
        parts=parts,
        folder=folder,
        shared=shared,
        arithmetic=arithmetic,
        device=device_name,
        strategy=strategy,
        teacher=teacher,
        progress=progress,
        gradients=gradients or bool(progress.gradients),
        resume=resume,
        tries_range=tries_range and not resume,
        warn=warn,
    )


def check_augmentation(recipe: Recipe, dataset: Dataset) -> None:
    """Raise UsageError if a recipe augments values, or images too small to be shifted, turned or mirrored."""
    if recipe.augment is None:
        return
    if not dataset.is_pixels:
        raise UsageError(f"{dataset.origin}: {dataset.rows_are} cannot be augmented; leave --augment out")
    height, width = dataset.input_shape[:2]
    if min(height, width) < 2:
        raise UsageError(
            f"{dataset.origin}: images of {height}×{width} pixels cannot be augmented by {recipe.augment}; "
            "leave --augment out"
        )
