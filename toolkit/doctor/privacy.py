"""Take out of a report what says whose machine it is: names of users and of the host, and of folders."""

import getpass
import os
import platform
import re
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from toolkit.doctor.remedy import interpreter
from toolkit.downloads import DATA_VARIABLE

# What stands for a folder. Inside an environment and inside Python the folders are the packages' own.
_PATH, _ENVIRONMENT, _PYTHON = "<path>", "<environment>", "<python>"
# The name of a folder may hold spaces, but not at its ends, nor before what begins another path.
_NAME = r"(?:[^\s'\":,;()\[\]<>/]|[ ]+(?![\s/~.]))+"
_ANY_PATH = re.compile(
    rf"(?P<kept>(?:{_ENVIRONMENT}|{_PYTHON})(?:/[^\s'\":,;()\[\]<>]*)?)"
    # Absolute, from a home or relative: between quotes all of it, else to the first space in its last name.
    r"|(?<=(?P<quote>['\"]))(?:<path>|~[\w.-]*|\.\.?)?/[^'\"\n]*(?=(?P=quote))"
    rf"|(?<![\w.~<>/])(?:<path>|~[\w.-]*|\.\.?)?/+(?=[^\s'\":,;()\[\]<>])(?:{_NAME}/+)*[^\s'\":,;()\[\]<>/]*"
)
# A name with a suffix is that of a file, which is told; any other may be a folder's.
_FILE = re.compile(r"[^/]+\.\w+\Z")


def scrub(document: Any, folders: Sequence[Path] = ()) -> Any:
    """Return a JSON document whose texts name no user, no host and no folder.

    folders: those that the user gave, in whose files' names they are left out.
    """
    return _scrub(document, [str(folder) for folder in folders], _folders(), _names())


def _scrub(document: Any, given: Sequence[str], folders: dict[str, str], names: dict[str, str]) -> Any:
    if isinstance(document, dict):
        return {key: _scrub(value, given, folders, names) for key, value in document.items()}
    if isinstance(document, list | tuple):
        return [_scrub(value, given, folders, names) for value in document]
    return _text(document, given, folders, names) if isinstance(document, str) else document


def _text(text: str, given: Sequence[str], folders: dict[str, str], names: dict[str, str]) -> str:
    # Known ones first, the longest before those that it lies in: they may hold anything.
    for folder in sorted(given, key=len, reverse=True):
        text = re.sub(rf"(?<![\w./~-]){re.escape(folder)}/", "", text)
    for folder in sorted(folders, key=len, reverse=True):
        text = re.sub(rf"(?<![\w./~-]){re.escape(folder)}(?![\w.-])", folders[folder], text)
    text = _ANY_PATH.sub(_without_folders, text)
    for name, word in names.items():
        text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", word, text)
    return text


def _without_folders(path: re.Match[str]) -> str:
    if path["kept"]:
        return path["kept"]
    file = _FILE.search(path[0])
    return f"{_PATH}/{file[0]}" if file else _PATH


def _folders() -> dict[str, str]:
    """Return the folders that a text may hold, with what stands for them."""
    known = {
        str(Path.cwd()): _PATH,
        tempfile.gettempdir(): _PATH,
        str(Path("~").expanduser()): _PATH,
        os.environ.get(DATA_VARIABLE, ""): _PATH,
        sys.base_prefix: _PYTHON,
        sys.prefix: _ENVIRONMENT,
    }
    real = {os.path.realpath(folder): word for folder, word in known.items() if folder}
    commands = {interpreter(): f"{_ENVIRONMENT}/bin/python"}
    return {folder: word for folder, word in {**real, **known, **commands}.items() if len(folder) > 1}


def _names() -> dict[str, str]:
    """Return the names of user and host, with what stands for them."""
    host = platform.node()
    users = {os.environ.get(variable, "") for variable in ("USER", "LOGNAME", "SUDO_USER")}
    users.add(Path("~").expanduser().name)
    with suppress(OSError, KeyError):  # a process of a user that has no entry
        users.add(getpass.getuser())
    names = {host: "<host>", host.partition(".")[0]: "<host>", **dict.fromkeys(users, "<user>")}
    return {name: word for name, word in names.items() if name}
