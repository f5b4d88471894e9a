"""One device from the connection to the result: what it lacks is brought there, the work is done there."""

import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from toolkit import host, units
from toolkit.bench import resume
from toolkit.bench.plan import Plan
from toolkit.bench.record import Record
from toolkit.errors import ArtifactError, DeviceError, DeviceLostError
from toolkit.files import sha256
from toolkit.remote.answer import DeviceParity, unpack
from toolkit.remote.cargo import Cargo
from toolkit.remote.home import Home
from toolkit.remote.kit import EXTRA, Kit, System
from toolkit.remote.ssh import Connection
from toolkit.text import lines
from toolkit.wheels.tested import explain_mismatch
from toolkit.wire import pieces

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
# The most warnings of a device that are shown, and the most characters of a message.
MOST_WARNINGS, LONGEST_TEXT = 20, 2000


@dataclass(frozen=True)
class Reporter:
    """Where the news of devices goes: a sentence, a warning, or how many steps of a total a device has done."""

    note: Callable[[str], None]
    warn: Callable[[str], None]
    step: Callable[[str, int, int, str], None]


class Device:
    """A device that was connected to and has what it needs."""

    def __init__(self, connection: Connection, cargo: Cargo, kit: Kit, reporter: Reporter) -> None:
        self._connection, self._cargo, self._kit, self._reporter = connection, cargo, kit, reporter
        self.name = connection.destination
        self._system = System(str(connection.hello["python"]), str(connection.hello["machine"]))

    def prepare(self) -> None:
        """Bring what the device lacks, make its environment if there is none, and start the agent in it."""
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
        self._check_system()
        key = self._kit.key(self._system)
        files = {name: (path, sha256(path)) for name, path in self._cargo.files.items()}
        packages = {name: (path, sha256(path)) for name, path in self._kit.files(self._system).items()}
        digests = {digest: path for path, digest in (*files.values(), *packages.values())}
        offered = self._ask({"do": "offer", "key": key, "digests": list(digests)})
        needed = {digest for _, digest in files.values()}
        if not offered["ready"]:
            self._check_packages()
            needed |= {digest for _, digest in packages.values()}
        self._copy([(digests[digest], digest) for digest in offered["missing"] if digest in needed])
        if not offered["ready"]:
            self._reporter.note(f"{self.name}: making an environment, once ({self._system})")
            self._install(key, {name: digest for name, (_, digest) in packages.items()})
        return key, {name: digest for name, (_, digest) in files.items()}

    def _check_system(self) -> None:
        """Raise DeviceError if toolkit cannot be installed there, by what the device says of itself."""
        hello, python, machine = self._connection.hello, self._system.python, self._system.machine
        if not (PYTHON.fullmatch(python) and MACHINE.fullmatch(machine)):
            raise DeviceError(f"{self.name}: its answer makes no sense (Python '{python}' on '{machine}')")
        if reason := host.unsupported(int(hello["bits"])):
            raise DeviceError(f"{self.name}: {reason}")
        if not hello["venv"]:
            raise DeviceError(f"{self.name}: its Python makes no environments; install: sudo apt install python3-venv")

    def _check_packages(self) -> None:
        """Raise DeviceError if the folder lacks a wheel; warn if no digests are known for the device."""
        system, folder = self._system, self._kit.packages
        if lacking := self._kit.lacking(system):
            raise DeviceError(f"{self.name}: {folder} lacks {lacking[0]} for it; fill it with: {system.fill} {folder}")
        if not system.tested and folder:
            raise DeviceError(f"{self.name}: no wheels are tested for {system}; leave out --wheels")
        if not system.tested:
            self._reporter.warn(
                f"{self.name}: no digests of wheels are known for {system}: the tested versions are installed as its "
                "package index gives them"
            )

    def bench(self, plan: Plan, output: Path, earlier: Record | None = None) -> Record:
        """Measure, and bring the record home round by round. earlier: the part of it that is there already.

        An interrupted benchmark is a record of what was measured; DeviceLostError if the connection ended, which
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

    def verify(self) -> DeviceParity:
        """Compare by golden; DeviceLostError, with how to go on, where it was lost."""
        self._connection.work({"do": "verify", "paths": self._cargo.paths})
        told: Any = None
        try:
            for message, _ in self._messages():
                told = message.get("parity", told)
        except DeviceLostError as error:
            raise DeviceLostError(f"{error}; {AGAIN}") from error
        return unpack(told, self.name, self._cargo)

    def _messages(self) -> Iterable[tuple[dict[str, Any], bytes]]:
        """Yield what comes until the work is done; report what is for the user."""
        warnings = 0
        try:
            while True:
                message, content = self._connection.receive()
                event = message["event"]
                if event == "step":
                    done, total = message["done"], message["total"]
                    if not 0 <= done <= total or total == 0:
                        raise ValueError(f"{done} of {total} steps")
                    self._reporter.step(self.name, done, total, self._text(message))
                elif event == "warning":
                    warnings += 1
                    if warnings <= MOST_WARNINGS:
                        self._reporter.warn(f"{self.name}: {self._text(message)}")
                elif event == "failed":
                    raise ArtifactError(f"{self.name}: {self._text(message)}")
                elif event == "stopped":
                    raise KeyboardInterrupt
                yield message, content
                if event == "done":
                    return
        finally:
            if warnings > MOST_WARNINGS:
                self._reporter.warn(f"{self.name}: {warnings - MOST_WARNINGS:,} more warnings are left out")

    def _text(self, message: dict[str, Any]) -> str:
        """Return the text of a message in one line, which is not endless."""
        text = " ".join(self._cargo.at_home(message["text"]).split())
        return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]} …"

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
            for content, first, last in pieces(path):
                self._ask({"do": "piece", "digest": digest, "first": first, "last": last}, content)

    def _install(self, key: str, packages: dict[str, str]) -> None:
        pinned, hashed = self._kit.pinned(self._system)
        self._ask(
            {
                "do": "install",
                "key": key,
                "wheel": self._kit.wheel.name,
                "extra": EXTRA,
                "packages": packages,
                "pinned": pinned,
                "hashed": hashed,
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

        if other := explain_mismatch(output):
            return f"{other}; nothing was installed"
        fill, folder = self._system.fill, self._kit.packages
        lacking = LACKING.search(output)
        package = lacking and (lacking[1] or lacking[2])
        if package and folder:
            return f"its system takes no wheel of {package} that {folder} has: its C library is too old, or another one"
        if any(text in output for text in UNREACHABLE):
            return (
                f"no package index can be reached from it; take the packages along: {fill} FOLDER, then --wheels FOLDER"
            )
        if package:
            return f"no package index that it asks has {package} for {self._system}"
        return f"its environment {environment}: {said[-1] if said else 'no reason given'}"


def _how_to_go_on(record: Record | None, planned: int) -> str:
    if record is None or not record.results:
        return f"nothing was measured yet; {AGAIN}"
    kept = f"{resume.rounds(record)} of {planned} rounds are kept in {record.folder}"
    return f"{kept}; measure the rest by the same command with --resume {record.folder}"
