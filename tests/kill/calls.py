"""What verbs do with a device, a server or a package index, called without one."""

import http.server
import os
import threading
import zipfile
from dataclasses import replace
from functools import partial
from pathlib import Path

from toolkit import downloads
from toolkit.bench import record, resume
from toolkit.cache import cache_folder
from toolkit.files import sha256
from toolkit.wheels import folder as wheels
from toolkit.wheels import tested


def join(earlier: str, later: str) -> None:
    """Go on with a record, as 'bench --resume' does with what a device sends; called again, with nothing."""
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
        downloads.download(url, cache_folder() / name, known_hash=f"sha256:{digest}", what=name)
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
