"""Kill verbs by a plan, look at what each kill has left, and count."""

import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue

from tests.kill import check
from tests.kill.servers import Box, Ended, Server, served
from tests.kill.verbs import Verb, start

# Verbs that run at a time.
LANES = 2
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


class Campaign:
    """The kills of some verbs, in folders below ``scratch``."""

    def __init__(self, verbs: Sequence[Verb], modules: Sequence[str], scratch: Path, *, seed: int) -> None:
        self._verbs, self._modules, self._scratch = verbs, modules, scratch
        self._random = random.Random(seed)
        self._whole: dict[Verb, Ended] = {}
        self._before: dict[str, dict[Path, str]] = {}
        self.tallies = {verb: Tally() for verb in verbs}

    def run(self, most: int, *, until_s: float) -> None:
        """Kill up to so many times, until a time of ``time.monotonic``."""
        with ExitStack() as stack, ThreadPoolExecutor(LANES) as pool:
            servers: SimpleQueue[Server] = SimpleQueue()
            for _ in range(LANES):
                servers.put(stack.enter_context(served(self._modules, self._scratch)))
            self._prepare(servers, pool)
            for killed in pool.map(lambda moment: self._lend(servers, moment, until_s), self._plan(most)):
                sys.stderr.write("." if killed else "")
                sys.stderr.flush()

    def _prepare(self, servers: "SimpleQueue[Server]", pool: ThreadPoolExecutor) -> None:
        """Make the folders to start in, one after the other, and run each verb to its end."""
        server = servers.get()
        for verb in self._verbs:
            box = start(verb.start, self._scratch, server)
            self._before.setdefault(verb.start, check.digests(box))
        servers.put(server)
        for verb, ended in zip(
            self._verbs, pool.map(lambda verb: self._count(servers, verb), self._verbs), strict=True
        ):
            self._whole[verb] = ended
            self.tallies[verb].writes = verb.worker or ended.writes

    def _count(self, servers: "SimpleQueue[Server]", verb: Verb) -> Ended:
        server = servers.get()
        with self._box(verb) as box:
            ended = server.call(box, verb.arguments)
            said = box.log.read_text(encoding="utf-8")
            assert not ended.killed, said
            assert ended.writes, said
            assert not box.still()
            self._judge(verb, box, "uninterrupted", done=True)
        servers.put(server)
        return ended

    def _plan(self, most: int) -> list[Moment]:
        """Return the moments in a random order: each write of a verb once, and moments that are drawn."""
        moments = [moment for verb in self._verbs for moment in self._of(verb)]
        self._random.shuffle(moments)
        return moments[:most]

    def _of(self, verb: Verb) -> Iterator[Moment]:
        numbers: Sequence[int] = range(1, self.tallies[verb].writes + 1)
        if verb.some is not None and verb.some < len(numbers):
            numbers = sorted(self._random.sample(numbers, verb.some))
        for position, number in enumerate(numbers):
            yield Moment(verb, at=number, again=position % verb.again_each == 0)
        for position in range(verb.random):
            yield Moment(verb, share=self._random.uniform(0, SHARE), again=position % verb.again_each == 0)

    def _lend(self, servers: "SimpleQueue[Server]", moment: Moment, until_s: float) -> bool:
        server = servers.get()
        try:
            return time.monotonic() < until_s and self._kill(server, moment)
        finally:
            servers.put(server)

    def _kill(self, server: Server, moment: Moment) -> bool:
        """Kill once and look; False where the verb was done before."""
        verb, tally, whole = moment.verb, self.tallies[moment.verb], self._whole[moment.verb]
        after_s = None if moment.share is None else moment.share * whole.seconds
        with self._box(verb) as box:
            number = "worker_at" if verb.worker else "at"
            if not server.call(box, verb.arguments, **{number: moment.at}, after_s=after_s).killed:
                return False
            when = f"write {moment.at}" if moment.at else f"{after_s:.2f} s"
            tally.left += [f"{verb.name}, {when}: process {process} lives on" for process in box.still()]
            if moment.at:
                tally.at_writes += 1
            else:
                tally.at_random += 1
            if self._judge(verb, box, when) or moment.again:
                self._again(server, verb, box, when)
        return True

    def _again(self, server: Server, verb: Verb, box: Box, when: str) -> None:
        """Run the verb again: it must come to its end as it does undisturbed, and leave nothing of the killed one."""
        tally = self.tallies[verb]
        tally.again += 1
        ended = server.call(box, verb.again(box.here, verb))
        if ended.code != self._whole[verb].code:
            said = box.log.read_text(encoding="utf-8").splitlines()[-1:]
            tally.lost.append(f"{verb.name}, {when}: called again it ended with {ended.code}: {said}")
        box.still()
        self._judge(verb, box, f"{when}, and again", done=True)

    def _judge(self, verb: Verb, box: Box, when: str, *, done: bool = False) -> bool:
        """Note what is lost, and return whether files do not agree. done: a verb has ended since, so all must."""
        tally, before = self.tallies[verb], self._before[verb.start]
        lost = check.lost(box, before)
        apart = [] if lost else check.apart(box, before)
        if done:
            lost += apart
            tally.left += [f"{verb.name}, {when}: {path}" for path in check.left(box)]
        elif apart:
            tally.apart += 1
        tally.lost += [f"{verb.name}, {when}: {problem}" for problem in lost]
        return bool(apart)

    def _box(self, verb: Verb) -> "_Copy":
        return _Copy(self._scratch / verb.start)


class _Copy:
    """A copy of a folder to start in, removed in the end."""

    def __init__(self, origin: Path) -> None:
        self._origin = origin

    def __enter__(self) -> Box:
        self._folder = Path(tempfile.mkdtemp(prefix="box-", dir=self._origin.parent))
        shutil.copytree(self._origin, self._folder, dirs_exist_ok=True)
        return Box(self._folder)

    def __exit__(self, *how: object) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
