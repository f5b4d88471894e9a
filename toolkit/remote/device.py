"""One device from the connection to the result: what it lacks is brought there, the work is done there."""

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NotRequired, TypedDict, cast

from toolkit import host, units
from toolkit.bench import resume
from toolkit.bench.record import Record
from toolkit.bench.schedule import Plan
from toolkit.errors import ArtifactError, DeviceError, DeviceLostError
from toolkit.files import documents, sha256
from toolkit.remote.cargo import Cargo
from toolkit.remote.home import Home
from toolkit.remote.ssh import Connection
from toolkit.text import lines
from toolkit.verdict import Verdict
from toolkit.wheel import DISTRIBUTION
from toolkit.wire import PIECE_BYTES

EXTRA = "edge"
MADE_ANEW = "run the same command again: an environment that does not start is made anew"
AGAIN = "run the same command again: what was copied and installed is still there"
# What pip says where no package index answers.
UNREACHABLE = ("NewConnectionError", "ConnectTimeoutError", "NameResolutionError", "ProxyError", "Max retries exceeded",
               "Temporary failure in name resolution", "Connection refused", "Network is unreachable")  # fmt: skip
LACKING = re.compile(r"No matching distribution found for ([^\s(]+)|The user requested \(constraint\) (\S+)")
# What a device may call its Python and its processor: a command that the user may copy is made from them.
PYTHON = re.compile(r"3\.[0-9]{1,3}\.[0-9]{1,3}[a-z0-9+]{0,20}")
MACHINE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]{0,30}")
FULL = ("No space left on device", "Disk quota exceeded")


ANSWER = "an answer"


class ComparedEntry(TypedDict):
    """What is told of an artifact that was compared by golden on a device; ``toolkit verify`` has its meaning."""

    artifact: str
    verdict: str
    changed: int | None
    max_abs_error: float | None
    recorded_flips: int | None
    recorded_max_abs_error: float | None
    recorded_max_lsb: float | None
    problem: str | None
    cause: NotRequired[str | None]


class DeviceVerifyEntry(TypedDict):
    """What a verification on a device came to."""

    results: list[ComparedEntry]
    verdict: Verdict


@dataclass(frozen=True)
class Kit:
    """What the environment of a device is made from. packages: a folder of wheels, where no index is to be asked."""

    wheel: Path
    packages: Path | None = None

    def key(self, python: str) -> str:
        """Return what tells environments apart: toolkit with its tested versions, which its wheel holds, and Python."""
        return hashlib.sha256(f"{sha256(self.wheel)} {python} {EXTRA}".encode()).hexdigest()[:16]

    def files(self, machine: str) -> dict[str, Path]:
        """Return the wheels to take along, by name: of toolkit this one, of the others those for that machine."""
        others = sorted(self.packages.glob("*.whl")) if self.packages else []
        own = f"{DISTRIBUTION.replace('-', '_')}-"
        chosen = [path for path in others if path.stem.endswith(("-any", machine)) and not path.name.startswith(own)]
        return {path.name: path for path in (*chosen, self.wheel)}


@dataclass(frozen=True)
class Reporter:
    """Where the news of devices go: a sentence, a warning, and of a device the steps done of a total."""

    note: Callable[[str], None]
    warn: Callable[[str], None]
    step: Callable[[str, int, int, str], None]


class Device:
    """A device that was connected to and has what it needs."""

    def __init__(self, connection: Connection, cargo: Cargo, kit: Kit, reporter: Reporter) -> None:
        self._connection, self._cargo, self._kit, self._reporter = connection, cargo, kit, reporter
        self.name = connection.destination

    def prepare(self) -> None:
        """Bring what the device lacks, make its environment where there is none, and start the agent in it."""
        try:
            key, files = self._bring()
        except DeviceLostError as error:
            raise DeviceLostError(f"{error}; {AGAIN}") from error
        try:
            answer = self._connection.hand_over({"do": "start", "key": key, "files": files})
        except DeviceLostError as error:
            raise DeviceLostError(f"{error}; {MADE_ANEW}") from error
        self._check(answer, "does not start")

    def _bring(self) -> tuple[str, dict[str, str]]:
        """Return the key of the environment, and the digests of the files there by path."""
        hello = self._connection.hello
        python, machine = str(hello["python"]), str(hello["machine"])
        if not (PYTHON.fullmatch(python) and MACHINE.fullmatch(machine)):
            raise DeviceError(f"{self.name}: its answer makes no sense (Python '{python}' on '{machine}')")
        if reason := host.unsupported(int(hello["bits"])):
            raise DeviceError(f"{self.name}: {reason}")
        if not hello["venv"]:
            raise DeviceError(f"{self.name}: its Python makes no environments; install: sudo apt install python3-venv")
        key = self._kit.key(python)
        files = {name: (path, sha256(path)) for name, path in self._cargo.files.items()}
        packages = {name: (path, sha256(path)) for name, path in self._kit.files(machine).items()}
        digests = {digest: path for path, digest in (*files.values(), *packages.values())}
        offered = self._ask({"do": "offer", "key": key, "digests": list(digests)})
        needed = {digest for _, digest in files.values()}
        if not offered["ready"]:
            needed |= {digest for _, digest in packages.values()}
        self._copy([(digests[digest], digest) for digest in offered["missing"] if digest in needed])
        if not offered["ready"]:
            self._reporter.note(f"{self.name}: making an environment, once (Python {python}, {machine})")
            self._install(key, {name: digest for name, (_, digest) in packages.items()})
        return key, {name: digest for name, (_, digest) in files.items()}

    def bench(self, plan: Plan, output: Path, earlier: Record | None = None) -> Record:
        """Measure, and bring the record home round by round. earlier: the part of it that is there already.

        An interrupted benchmark is a record of what was measured; DeviceLostError where the connection ended, which
        says where what was measured is, and how to go on.
        """
        done = resume.rounds(earlier) if earlier else 0
        plan = resume.rest(earlier, plan) if earlier else plan
        with Home(output, self._cargo, earlier) as home:
            self._connection.work({"do": "bench", "paths": self._cargo.paths, "plan": asdict(plan)})
            try:
                for message, content in self._messages():
                    if message["event"] == "file":
                        home.take(message, content)
                    elif message["event"] == "record":
                        home.keep()
                        self._connection.send({"do": "kept"})
            except DeviceLostError as error:
                home.interrupted()
                raise DeviceLostError(
                    f"{error}; {_how_to_go_on(home.record or earlier, done + plan.processes)}"
                ) from error
            if home.record is None:
                raise DeviceError(f"{self.name}: no record came of it")
            return home.record

    def verify(self) -> dict[str, Any]:
        """Compare by golden, and return the document of it; DeviceLostError, with how to go on, where it was lost."""
        self._connection.work({"do": "verify", "paths": self._cargo.paths})
        told: Any = None
        try:
            for message, _ in self._messages():
                told = message.get("document", told)
        except DeviceLostError as error:
            raise DeviceLostError(f"{error}; {AGAIN}") from error
        documents.check(told, self.name, what=ANSWER, error=DeviceError)
        document = documents.convert(told, DeviceVerifyEntry, self.name, what=ANSWER, error=DeviceError)
        for result in document["results"]:
            result["artifact"] = self._cargo.at_home(result["artifact"])
            result["problem"] = result["problem"] and self._cargo.at_home(result["problem"])
        return cast("dict[str, Any]", document)

    def _messages(self) -> Iterable[tuple[dict[str, Any], bytes]]:
        """Yield what comes until the work is done; report what is for the user."""
        while True:
            message, content = self._connection.receive()
            event = message["event"]
            if event == "step":
                done, total = message["done"], message["total"]
                if not 0 <= done <= total or total == 0:
                    raise ValueError(f"{done} of {total} steps")
                self._reporter.step(self.name, done, total, self._text(message))
            elif event == "warning":
                self._reporter.warn(f"{self.name}: {self._text(message)}")
            elif event == "failed":
                raise ArtifactError(f"{self.name}: {self._text(message)}")
            elif event == "stopped":
                raise KeyboardInterrupt
            yield message, content
            if event == "done":
                return

    def _text(self, message: dict[str, Any]) -> str:
        """Return the text of a message in one line."""
        return " ".join(self._cargo.at_home(message["text"]).split())

    def _ask(self, message: dict[str, Any], content: bytes = b"") -> dict[str, Any]:
        answer = self._connection.ask(message, content)
        self._check(answer, "was not made")
        return answer

    def _check(self, answer: dict[str, Any], environment: str) -> None:
        """Raise DeviceError for an answer that is an error. environment: what is then to be said of it."""
        if "error" in answer:
            raise DeviceError(f"{self.name}: {self._explain(answer, environment)}")

    def _copy(self, files: list[tuple[Path, str]]) -> None:
        if files:
            total = units.size(sum(path.stat().st_size for path, _ in files))
            self._reporter.note(f"{self.name}: copying {len(files)} files, {total}")
        for path, digest in files:
            with path.open("rb") as file:
                content, first = file.read(PIECE_BYTES), True
                while True:
                    following = file.read(PIECE_BYTES)
                    piece = {"do": "piece", "digest": digest, "first": first, "last": not following}
                    self._ask(piece, content)
                    if not following:
                        break
                    content, first = following, False

    def _install(self, key: str, packages: dict[str, str]) -> None:
        self._ask(
            {
                "do": "install",
                "key": key,
                "wheel": self._kit.wheel.name,
                "extra": EXTRA,
                "packages": packages,
                "offline": self._kit.packages is not None,
            }
        )

    def _explain(self, answer: dict[str, Any], environment: str) -> str:
        """Say in a line what a device could not do."""
        said = lines(str(answer.get("output", "")))
        output = " ".join(said)
        if answer["error"] == "busy":
            return "another toolkit is at work on it; wait until that one is done"
        if answer["error"] == "disk" or any(text in output for text in FULL):
            free = answer.get("free_bytes")
            room = "" if free is None else f" ({units.size(free)} free)"
            return f"its disk is full{room}; an environment takes about 300 MB"
        python, machine = ".".join(self._connection.hello["python"].split(".")[:2]), self._connection.hello["machine"]
        fill = f"toolkit wheels --python {python} --arch {machine}"
        lacking = LACKING.search(output)
        if lacking and self._kit.packages is not None:
            folder = self._kit.packages
            return f"{folder} lacks {lacking[1] or lacking[2]} for it; fill it with: {fill} {folder}"
        if any(text in output for text in UNREACHABLE):
            return (
                f"no package index can be reached from it; take the packages along: {fill} FOLDER, then --wheels FOLDER"
            )
        if lacking:
            return f"no package index that it asks has {lacking[1] or lacking[2]} for Python {python} on {machine}"
        return f"its environment {environment}: {said[-1] if said else 'no reason given'}"


def _how_to_go_on(record: Record | None, planned: int) -> str:
    if record is None or not record.results:
        return f"nothing was measured yet; {AGAIN}"
    kept = f"{resume.rounds(record)} of {planned} rounds are kept in {record.folder}"
    return f"{kept}; measure the rest by the same command with --resume {record.folder}"
