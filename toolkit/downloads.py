"""Where data sets lie on this machine, and how they are brought to it."""

import logging
import os
import shutil
import sys
from pathlib import Path

from toolkit import extras, locks
from toolkit.cache import cache_folder
from toolkit.errors import DataUnavailableError
from toolkit.files import atomic

DATA_VARIABLE = "TOOLKIT_DATA_DIR"
RETRIES = 2
# Seconds to connect, and between two pieces of the answer.
TIMEOUT_S = (5, 20)


def search_folders() -> tuple[Path, ...]:
    """Return the folders that may hold a data set, in order: the user's, Keras' cache, the cache of toolkit."""
    keras_home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    named = os.environ.get(DATA_VARIABLE)
    return (*((Path(named),) if named else ()), keras_home / "datasets", cache_folder())


def download(url: str, path: Path, *, known_hash: str, what: str, files: str) -> Path:
    """Fetch ``url`` to ``path`` unless it is there: with retries, atomically, with a bar where stderr is a terminal.

    what, files: the data set, and what stands for it in a folder of the user's, for the error.

    Raises DataUnavailableError if the network, the server or the digest says no.
    """
    pooch, requests = extras.load("pooch"), extras.load("requests")
    unavailable = f"{what} is not on this machine and could not be fetched from {url}"
    remedy = f"put {files} into a folder and set {DATA_VARIABLE} to that folder"
    pooch.get_logger().setLevel(logging.ERROR)
    algorithm, _, digest = known_hash.partition(":")
    downloader = pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), timeout=TIMEOUT_S)
    # pooch would leave what it has of a file beside it when it is killed.
    with locks.scratch() as scratch:
        if path.is_file() and pooch.file_hash(str(path), alg=algorithm) == digest:
            return path
        try:
            fetched = pooch.create(
                path=scratch,
                base_url="",
                registry={path.name: known_hash},
                urls={path.name: url},
                retry_if_failed=RETRIES,
            ).fetch(path.name, downloader=downloader)
        except requests.RequestException as error:
            raise DataUnavailableError(f"{unavailable} (no network, or no answer); {remedy}") from error
        except ValueError as error:
            raise DataUnavailableError(f"{unavailable} (its digest is not the published one); {remedy}") from error
        with atomic(path) as temporary:
            shutil.copyfile(fetched, temporary)
    return path
