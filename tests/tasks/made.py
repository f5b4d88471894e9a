"""The data of the tasks: real ones that packages carry, and made ones by a seed, in the files that people have."""

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from toolkit.data import fashion_mnist
from toolkit.reading import AS_THEY_ARE, Reading

SIDE = 32  # of the photos of shapes
RATE = 8000  # of the spoken words
HERTZ = 50  # of the accelerometer


@dataclass(frozen=True)
class Made:
    """Data in files. data: what ``--data`` takes. asked: a file to classify; answer: the class of all of its rows."""

    data: Path | str
    asked: Path
    answer: str


@dataclass(frozen=True)
class Task:
    """A task. make: writes its data into a folder. least: the accuracy below which something is broken."""

    name: str
    about: str
    model: str
    epochs: int
    least: float
    reading: Reading = AS_THEY_ARE

    def make(self, folder: Path) -> Made:
        """Write its data into a folder."""
        made: Made = globals()[self.name](folder)
        return made


def table(folder: Path) -> Made:
    """Return the breast cancer table of Wisconsin (W. Street, W. Wolberg, O. Mangasarian, 1993) of scikit-learn."""
    from sklearn.datasets import load_breast_cancer

    found = load_breast_cancer()
    columns = [name.replace(" ", "_") for name in found.feature_names]
    names = [str(found.target_names[label]) for label in found.target]
    # The median of each measure of a class: a row that nobody disputes.
    typical = np.median(found.data[found.target == 1], axis=0)
    lines = [",".join((*map(repr, map(float, row)), name)) for row, name in zip(found.data, names, strict=True)]
    (folder / "cancer.csv").write_text("\n".join((",".join((*columns, "diagnosis")), *lines)) + "\n")
    (folder / "asked.csv").write_text(f"{','.join(columns)}\n{','.join(map(repr, map(float, typical)))}\n")
    return Made(folder / "cancer.csv", folder / "asked.csv", "benign")


def digits(folder: Path) -> Made:
    """Return the 8×8 digits of E. Alpaydin and C. Kaynak, 1998, as scikit-learn has them, their 0 to 16 as 0 to 255."""
    from PIL import Image
    from sklearn.datasets import load_digits

    found = load_digits()
    images = np.rint(found.images * (255 / 16)).astype(np.uint8)
    test = np.arange(len(images)) % 5 == 0
    np.savez(
        folder / "digits.npz",
        x_train=images[~test],
        y_train=found.target[~test],
        x_test=images[test],
        y_test=found.target[test],
    )
    zeros = images[found.target == 0]
    typical = zeros[np.abs(zeros - zeros.mean(axis=0)).sum(axis=(1, 2)).argmin()]
    Image.fromarray(typical).save(folder / "asked.png")
    return Made(folder / "digits.npz", folder / "asked.png", "0")


def accelerometer(folder: Path) -> Made:
    """Make recordings of a wrist at rest, on a walk and shaking, in m/s²: gravity, a gait or a tremor, and noise."""
    rng = np.random.default_rng(0)

    def recording(motion: str, rows: int) -> np.ndarray:
        direction = np.array([0.2, 0.3, 0.9]) + rng.normal(0, 0.1, 3)
        gravity = 9.81 * direction / np.linalg.norm(direction)
        time = np.arange(rows) / HERTZ
        hertz, size = {"rest": (0.2, 0.1), "walk": (rng.uniform(1.5, 2.3), 2.5), "shake": (rng.uniform(4, 6), 4.0)}[
            motion
        ]
        phases, weights = rng.uniform(0, 2 * np.pi, 3), rng.uniform(0.5, 1.0, 3)
        swing = size * weights * np.sin(2 * np.pi * hertz * time[:, None] + phases)
        return gravity + swing + rng.normal(0, 0.3, (rows, 3))

    def save(path: Path, motion: str, rows: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        values = recording(motion, rows)
        lines = [",".join((str(row * 20), *(f"{one:.4f}" for one in line))) for row, line in enumerate(values)]
        path.write_text("\n".join(("timestamp,ax,ay,az", *lines)) + "\n")

    for motion in ("rest", "walk", "shake"):
        for number in range(40):
            save(folder / "moves" / motion / f"{number}.csv", motion, int(rng.integers(200, 300)))
    save(folder / "asked.csv", "walk", 200)
    return Made(folder / "moves", folder / "asked.csv", "walk")


def words(folder: Path) -> Made:
    """Make words of two vowels each, as resonances of a buzzing voice (formants of G. Peterson and H. Barney, 1952)."""
    rng = np.random.default_rng(0)
    formants = {"i": (270, 2290, 3010), "a": (730, 1090, 2440), "u": (300, 870, 2240)}
    spoken = {"ia": "ia", "ua": "ua", "ai": "ai", "au": "au"}

    def voice(word: str) -> np.ndarray:
        pitch, length = rng.uniform(90, 220), rng.uniform(0.18, 0.26)
        parts = []
        for vowel in spoken[word]:
            time = np.arange(round(length * RATE)) / RATE
            harmonics = np.arange(1, int(RATE / 2 / pitch)) * pitch
            near = [1 / (1 + ((harmonics - rng.normal(1, 0.04) * one) / 90) ** 2) for one in formants[vowel]]
            parts.append((np.sum(near, axis=0) * np.sin(2 * np.pi * harmonics * time[:, None])).sum(axis=1))
        sound = np.concatenate(parts)
        sound *= np.hanning(len(sound)) ** 0.3 / np.abs(sound).max()
        return rng.uniform(0.3, 0.9) * sound + rng.normal(0, 0.005, len(sound))

    def save(path: Path, word: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(np.clip(np.round(voice(word) * 2**15), -(2**15), 2**15 - 1).astype("<i2").tobytes())

    for word in spoken:
        for number in range(60):
            save(folder / "words" / word / f"{number:02}.wav", word)
    save(folder / "asked.wav", "ua")
    return Made(folder / "words", folder / "asked.wav", "ua")


def photos(folder: Path) -> Made:
    """Make coloured photos of shapes, of sizes from 80 to 160 pixels, in PNG and JPEG."""
    from PIL import Image, ImageDraw

    rng = np.random.default_rng(0)

    def photo(shape: str) -> Image.Image:
        width, height = (int(side) for side in rng.integers(80, 161, 2))
        ground, ink = rng.integers(130, 256, 3), rng.integers(0, 110, 3)
        image = Image.new("RGB", (width, height), tuple(ground.tolist()))
        radius = rng.uniform(0.28, 0.42) * min(width, height)
        x, y = (side * rng.uniform(0.45, 0.55) for side in (width, height))
        draw, colour = ImageDraw.Draw(image), tuple(ink.tolist())
        if shape == "disc":
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
        else:
            corners, turn = 3 if shape == "triangle" else 4, int(rng.integers(-10, 11))
            draw.regular_polygon((x, y, radius), corners, rotation=turn, fill=colour)
        noisy = np.asarray(image) + rng.normal(0, 6, (height, width, 3))
        return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))

    for shape in ("disc", "square", "triangle"):
        for number in range(120):
            path = folder / "shapes" / shape / f"{number:03}{'.png' if number % 2 else '.jpg'}"
            path.parent.mkdir(parents=True, exist_ok=True)
            photo(shape).save(path)
    photo("triangle").save(folder / "asked.png")
    return Made(folder / "shapes", folder / "asked.png", "triangle")


def fashion(folder: Path) -> Made:
    """Return Fashion-MNIST where it is on this machine, and its first pair of trousers."""
    from PIL import Image

    from toolkit import data

    test = data.load("fashion-mnist", warn=print).test
    trousers = fashion_mnist.CLASS_NAMES.index("Trouser")
    Image.fromarray(test.images[test.labels == trousers][0, ..., 0]).save(folder / "asked.png")
    return Made("fashion-mnist", folder / "asked.png", "Trouser")


SMALL = (
    Task("table", "569 tumours by 30 measures (scikit-learn's breast cancer table)", "mlp", 40, 0.93),
    Task("digits", "1,797 handwritten digits of 8×8 pixels (scikit-learn's)", "cnn", 20, 0.95),
    Task(
        "accelerometer",
        "120 recordings of three motions, three axes at 50 Hz, made by a seed",
        "cnn",
        10,
        0.95,
        Reading(window=100, stride=50),
    ),
    Task("words", "240 words of two vowels, half a second at 8 kHz, made by a seed", "cnn", 15, 0.9),
    Task(
        "photos",
        "360 photos of three shapes, 80 to 160 pixels a side, made by a seed",
        "cnn",
        30,
        0.8,
        Reading(image_size=(SIDE, SIDE)),
    ),
)
# Takes minutes: for the page alone.
FASHION = Task("fashion", "70,000 pieces of clothing of 28×28 pixels (Fashion-MNIST)", "cnn", 12, 0.91)
