"""Kill every verb that writes, at every write and at random, and write what came of it: python -m tests.kill."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests import robustness
from tests.kill import page
from tests.kill.campaign import Campaign
from tests.kill.servers import HEAVY as MODULES
from tests.kill.verbs import HEAVY, LIGHT

# More than every verb's writes and the random moments of verbs.py, all together.
MOST = 2000


def main() -> int:
    """Kill, print and write the page; the exit code is 1 where anything was lost or left over."""
    parser = argparse.ArgumentParser(prog="python -m tests.kill", description=__doc__)
    parser.add_argument("--kills", type=int, default=MOST, help="at most so many")
    parser.add_argument("--minutes", type=float, default=28.0, help="no more is begun after these")
    parser.add_argument("--seed", type=int, default=0, help="of their order and of the random moments")
    asked = parser.parse_args()
    start_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kill-") as scratch:
        campaign = Campaign((*LIGHT, *HEAVY), MODULES, Path(scratch), seed=asked.seed)
        campaign.run(asked.kills, until_s=start_s + 60 * asked.minutes)
    text = page.render(campaign.tallies, seconds=time.monotonic() - start_s, seed=asked.seed)
    print(f"\n{text}")
    robustness.write("make kill", text)
    wrong = [line for tally in campaign.tallies.values() for line in (*tally.lost, *tally.left)]
    print(*wrong, sep="\n", end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
