"""What the sections of a report share."""

import shlex
from dataclasses import dataclass
from typing import Protocol

from toolkit import data
from toolkit.manifest import Manifest
from toolkit.report.markup import Markup
from toolkit.report.subject import Subject


@dataclass(frozen=True)
class Section:
    """What a section shows. again: the commands that compute its figures again, each with what it does."""

    body: Markup
    again: dict[str, str]


def command(*words: object) -> str:
    """Return a command of toolkit as a shell takes it."""
    return shlex.join(["toolkit", *map(str, words)])


def data_words(manifest: Manifest) -> tuple[str, ...]:
    """Return the data of a model as a command takes them: the source, or DATA, and the options of their reading."""
    return (manifest.data.name if manifest.data.name in data.named_sources() else "DATA", *manifest.data.reading.words)


class SectionModule(Protocol):
    """What a module in this folder has. ORDER: its place in the report; TITLE: its heading."""

    __name__: str
    ORDER: int
    TITLE: str

    def show(self, subject: Subject) -> Section:
        """Return the section; a ToolkitError says why there is nothing to show."""
