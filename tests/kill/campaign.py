"""Kill verbs by a plan, look at what each kill has left, and count."""

import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from queue import SimpleQueue

from tests.kill import check
from tests.kill.servers import Box, Ended, Server, served
from tests.kill.verbs import STARTS, Verb, call, origins, start

# Verbs that run at a time: one more than the cores that were measured on, since a verb also waits for its workers.
LANES = 3
# A random moment lies within this share of the time that a verb takes when nobody disturbs it.
SHARE = 0.98


@dataclass(frozen=True)
class Moment:
    """When a verb is killed: before its write ``at``, or after a share of its time. again: whether it is run again."""

    verb: Verb
    at: int | None = None
    share: float | None = None
    again: bool = True


@dataclass
class Tally:
    """What came of the kills of one verb. apart: kills after which files that belong together did not agree.

    writes: how many it makes undisturbed, or its worker, if that is killed.
    """

    writes: int = 0
    at_writes: int = 0
    at_random: int = 0
    again: int = 0
    apart: int = 0
    lost: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    @property
    def kills(self) -> int:
        return self.at_writes + self.at_random

    def add(self, other: "Tally") -> None:
        """Count also what came of other kills of the verb."""
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))


class Campaign:
    """The kills of some verbs, in folders below ``scratch``."""

    def __init__(self, verbs: Sequence[Verb], modules: Sequence[str], scratch: Path, *, seed: int) -> None:
        self._verbs, self._modules, self._scratch = verbs, modules, scratch
        self._random = random.Random(seed)
        self._servers: SimpleQueue[Server] = SimpleQueue()
        self._whole: dict[Verb, Ended] = {}
        self._weights: dict[Verb, str] = {}
        self._before: dict[str, dict[Path, str]] = {}
        self.tallies = {verb: Tally() for verb in verbs}

    def run(self, most: int, *, until_s: float) -> None:
        """Kill up to so many times, until a time of ``time.monotonic``."""
        with ExitStack() as stack, ThreadPoolExecutor(LANES) as pool:
            for _ in range(LANES):
                self._servers.put(stack.enter_context(served(self._modules, self._scratch)))
            self._prepare(pool)
            moments = self._plan()[:most]
            found = pool.map(lambda one: self._kill(one) if time.monotonic() < until_s else Tally(), moments)
            for moment, tally in zip(moments, found, strict=True):
                self.tallies[moment.verb].add(tally)
                sys.stderr.write("." * tally.kills)
                sys.stderr.flush()

    def _prepare(self, pool: ThreadPoolExecutor) -> None:
        """Make the folders to start in, those first that others are made from, and run each verb to its end."""
        wanted = {verb.start for verb in self._verbs}
        shared = [name for name in STARTS if any(name in origins(one) for one in wanted)]
        for name in shared:
            self._start(name)
        for name, digests in pool.map(self._start, sorted(wanted)):
            self._before[name] = digests
        for verb, (ended, tally) in zip(self._verbs, pool.map(self._undisturbed, self._verbs), strict=True):
            self._whole[verb] = ended
            self.tallies[verb].add(tally)

    def _start(self, name: str) -> tuple[str, dict[Path, str]]:
        """Make a folder to start in if it is not there; return its name and its files' digests."""
        with self._server() as server:
            return name, check.digests(start(name, self._scratch, server))

    def _undisturbed(self, verb: Verb) -> tuple[Ended, Tally]:
        """Run a verb to its end, where nothing may be lost or left either."""
        with self._server() as server, self._box(verb) as box:
            ended = call(server, box, *verb.arguments)
            assert ended.writes, box.log.read_text(encoding="utf-8")
            tally = Tally(writes=verb.worker or ended.writes)
            self._wait(verb, box, "undisturbed", tally)
            self._judge(verb, box, "undisturbed", tally, done=True)
            if verb.run:
                self._weights[verb] = check.weights(box.here / "runs" / verb.run)
        return ended, tally

    def _plan(self) -> list[Moment]:
        """Return the moments in a random order: each write of a verb once, and moments that are drawn."""
        moments = [moment for verb in self._verbs for moment in self._of(verb)]
        self._random.shuffle(moments)
        return moments

    def _of(self, verb: Verb) -> Iterator[Moment]:
        numbers: Sequence[int] = range(1, self.tallies[verb].writes + 1)
        if verb.some is not None and verb.some < len(numbers):
            numbers = sorted(self._random.sample(numbers, verb.some))
        for position, number in enumerate(numbers):
            yield Moment(verb, at=number, again=position % verb.again_each == 0)
        for position in range(verb.random):
            yield Moment(verb, share=self._random.uniform(0, SHARE), again=position % verb.again_each == 0)

    def _kill(self, moment: Moment) -> Tally:
        """Kill once and look; the tally is empty where the verb was done before."""
        verb, tally = moment.verb, Tally()
        after_s = None if moment.share is None else moment.share * self._whole[verb].seconds
        with self._server() as server, self._box(verb) as box:
            number = "worker_at" if verb.worker else "at"
            if not server.call(box, verb.arguments, **{number: moment.at}, after_s=after_s).killed:
                return tally
            tally.at_writes, tally.at_random = (0, 1) if moment.at is None else (1, 0)
            when = f"{after_s:.2f} s" if moment.at is None else f"write {moment.at}"
            self._wait(verb, box, when, tally)
            if self._judge(verb, box, when, tally) or moment.again:
                self._again(server, verb, box, when, tally)
        return tally

    def _again(self, server: Server, verb: Verb, box: Box, when: str, tally: Tally) -> None:
        """Run the verb again: it must come to its end as it does undisturbed, and leave nothing of the killed one."""
        tally.again += 1
        ended = server.call(box, verb.again(box.here, verb))
        if ended.code != self._whole[verb].code:
            said = box.log.read_text(encoding="utf-8").splitlines()[-1:]
            tally.lost.append(f"{verb.name}, {when}: called again it ended with {ended.code}: {said}")
        elif verb.run and check.weights(box.here / "runs" / verb.run) != self._weights[verb]:
            tally.lost.append(f"{verb.name}, {when}: called again it came to other weights")
        self._wait(verb, box, f"{when}, and again", tally)
        if verb.mend and check.apart(box, self._before[verb.start]):
            server.call(box, verb.mend)
        self._judge(verb, box, f"{when}, and again", tally, done=True)

    def _wait(self, verb: Verb, box: Box, when: str, tally: Tally) -> None:
        """Wait for the end of all that the verb has started."""
        tally.left += [f"{verb.name}, {when}: process {process} lives on" for process in box.still()]

    def _judge(self, verb: Verb, box: Box, when: str, tally: Tally, *, done: bool = False) -> bool:
        """Note what is lost, and return whether files do not agree. done: a verb has ended since, so all must."""
        before = self._before[verb.start]
        lost = check.lost(box, before)
        apart = [] if lost else check.apart(box, before)
        if done:
            lost += apart
            tally.left += [f"{verb.name}, {when}: {path}" for path in check.left(box)]
        elif apart:
            tally.apart += 1
        tally.lost += [f"{verb.name}, {when}: {problem}" for problem in lost]
        return bool(apart)

    @contextmanager
    def _server(self) -> Iterator[Server]:
        """Lend a server."""
        server = self._servers.get()
        try:
            yield server
        finally:
            self._servers.put(server)

    @contextmanager
    def _box(self, verb: Verb) -> Iterator[Box]:
        """Lend a copy of the folder that a verb starts in."""
        with tempfile.TemporaryDirectory(prefix="box-", dir=self._scratch, ignore_cleanup_errors=True) as folder:
            shutil.copytree(self._scratch / verb.start, folder, dirs_exist_ok=True)
            yield Box(Path(folder))
