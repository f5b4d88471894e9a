"""What verbs do with a device, a server or a package index, called without one; what they do on large input only."""

import http.server
import os
import threading
import zipfile
from dataclasses import replace
from functools import partial
from pathlib import Path

from toolkit import api, cli, data, downloads, extras, images
from toolkit import photos as many
from toolkit.bench import certify as certification
from toolkit.bench import record, resume
from toolkit.cache import cache_folder
from toolkit.export import saved_model
from toolkit.files import sha256
from toolkit.training import arithmetic
from toolkit.wheels import folder as wheels
from toolkit.wheels import tested


def join(earlier: str, later: str) -> None:
    """Go on with a record, as 'device bench --resume' does with what a device sends; called again, with nothing."""
    first = replace(record.read(Path(earlier)), folder=Path(earlier))
    second = record.read(Path(later))
    if resume.rounds(first) == resume.rounds(second):
        resume.join(first, second).save()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


def fetch(name: str) -> None:
    """Download a file into the cache, as 'data --fetch' does, from a server of this process."""
    handler = partial(_Quiet, directory=str(Path.cwd()))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/{name}"
        digest = sha256(Path(name))
        downloads.download(url, cache_folder() / name, known_hash=f"sha256:{digest}", what=name, files=name)
        server.shutdown()


def index(folder: Path) -> None:
    """Write wheels of the names and versions of all that a device installs, which hold nothing."""
    folder.mkdir()
    for stem in {"-".join(wheel.split("-")[:2]) for wheel in tested.digests()}:
        name, version = stem.split("-")
        with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as wheel:
            about = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
            wheel.writestr(f"{stem}.dist-info/METADATA", about)
            wheel.writestr(f"{stem}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{stem}.dist-info/RECORD", "")


def fill(folder: str) -> None:
    """Download wheels, as 'wheels' does, from the folder 'index', in the place of the tested ones."""
    os.environ |= {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(Path("index").resolve())}
    digests = {wheel.name: sha256(wheel) for wheel in Path("index").glob("*.whl")}
    vars(tested)["digests"] = lambda: digests
    vars(tested)["pythons"] = lambda: ["3.11"]
    wheels.fill(Path(folder), python="3.11", arch="aarch64")


def photos(folder: str) -> None:
    """Load photos twice as if the memory did not hold their pixels: the cache gives those of the files."""
    vars(many)["IN_MEMORY_SHARE"] = 0.0
    expected = sorted(int(images.read(file, channels=1)[0, 0, 0]) for file in Path(folder).rglob("*.png"))
    for _ in range(2):
        splits = data.load(folder, warn=lambda text: None).splits.values()
        assert sorted(int(pixels[0, 0, 0]) for split in splits for pixels in split.images) == expected
    assert any(cache_folder().rglob("*.pixels"))


def tried(dataset: str) -> None:
    """Train as if it took so long that a trial is made before; the trial is made up."""
    setting = arithmetic.onednn()
    vars(arithmetic)["LEAST_VALUES"] = 1
    vars(arithmetic)["_try"] = lambda *_, **__: [arithmetic.Tried(setting, xla, 1.0 + xla) for xla in (0, 1)]
    name = str(len(list(Path.cwd().glob("runs/*"))))
    assert cli.call(["train", "--data", dataset, "--model", "mlp", "--epochs", "1", "--name", name]) == 0
    assert arithmetic.recorded_arithmetic(Path("runs", name)).xla == 0


def certify(artifact: str) -> None:
    """Certify by as few rounds as there may be."""
    vars(certification)["LONGEST_S"] = 0.001
    api.certify(artifact, seconds=0.01, processes=2)


def save(path: str, folder: str) -> None:
    """Save a Keras file as a SavedModel."""
    with extras.streams_to(Path("export.log")):
        extras.load("keras").saving.load_model(path).export(folder, verbose=False)


def freeze(folder: str) -> None:
    """Freeze a SavedModel into the cache, as an export does first."""
    saved_model.to_keras(Path(folder))
