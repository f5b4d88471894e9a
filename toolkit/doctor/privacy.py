"""Take out of a report what says whose machine it is: names of users and of the host, and where folders lie."""

import getpass
import os
import platform
import re
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from toolkit.downloads import DATA_VARIABLE

# An absolute path, as far as it can be told from the text around it.
_PATH = re.compile(r"(?<![\w.~<>/])/(?:[^\s'\":,;()\[\]<>]+/)*([^\s'\":,;()\[\]<>/]+)/?")


def scrub(document: Any) -> Any:
    """Return a JSON document whose texts name no user, no host and no folder outside of the current one."""
    return _scrub(document, _folders(), _names())


def _scrub(document: Any, folders: dict[str, str], names: dict[str, str]) -> Any:
    if isinstance(document, dict):
        return {key: _scrub(value, folders, names) for key, value in document.items()}
    if isinstance(document, list | tuple):
        return [_scrub(value, folders, names) for value in document]
    return _text(document, folders, names) if isinstance(document, str) else document


def _text(text: str, folders: dict[str, str], names: dict[str, str]) -> str:
    for folder in sorted(folders, key=len, reverse=True):  # known ones first: they may hold spaces
        text = _replace(text, rf"{re.escape(folder)}(?![\w.-])", folders[folder])
    text = _PATH.sub(r"<path>/\1", text)
    for name, word in names.items():
        text = _replace(text, rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", word)
    return text


def _replace(text: str, pattern: str, word: str) -> str:
    return re.sub(pattern, word.replace("\\", r"\\"), text)


def _folders() -> dict[str, str]:
    """Return the folders that a text may hold, with what stands for them."""
    known = {
        str(Path.cwd()): ".",
        sys.prefix: "<environment>",
        sys.base_prefix: "<python>",
        tempfile.gettempdir(): "<temporary>",
        str(Path("~").expanduser()): "~",
        os.environ.get(DATA_VARIABLE, ""): f"<{DATA_VARIABLE}>",
    }
    real = {os.path.realpath(folder): word for folder, word in known.items() if folder}
    return {folder: word for folder, word in {**real, **known}.items() if len(folder) > 1}


def _names() -> dict[str, str]:
    """Return the names of user and host, with what stands for them."""
    host = platform.node()
    users = {os.environ.get(variable, "") for variable in ("USER", "LOGNAME", "SUDO_USER")}
    users.add(Path("~").expanduser().name)
    with suppress(OSError, KeyError):  # a process of a user that has no entry
        users.add(getpass.getuser())
    names = {host: "<host>", host.partition(".")[0]: "<host>", **dict.fromkeys(users, "<user>")}
    return {name: word for name, word in names.items() if name}
