"""What the sections of a report share."""

import shlex
from dataclasses import dataclass
from typing import Protocol

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


class SectionModule(Protocol):
    """What a module in this folder has. ORDER: its place in the report; TITLE: its heading."""

    __name__: str
    ORDER: int
    TITLE: str

    def show(self, subject: Subject) -> Section:
        """Return the section; a ToolkitError says why there is nothing to show."""
