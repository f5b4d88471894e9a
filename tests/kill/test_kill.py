"""The harness in small: some kills of verbs that need no TensorFlow, and that it sees what it is there to see."""

import shutil

import pytest

from tests.kill import check, page
from tests.kill.campaign import Campaign, Tally
from tests.kill.servers import Box
from tests.kill.verbs import HEAVY, LIGHT, SHIPPED, WRITE_NOTHING, Verb
from toolkit.cli import VERBS

NAMES = ("record plot", "device bench --resume", "check-bundle")


@pytest.mark.slow
def test_kills_of_light_verbs_lose_nothing_and_leave_nothing(tmp_path):
    verbs = [verb for verb in LIGHT if verb.name in NAMES]
    campaign = Campaign(verbs, ("numpy", "toolkit.bench.record"), tmp_path, seed=0)
    campaign.run(12, until_s=float("inf"))
    tallies = campaign.tallies.values()
    assert [line for tally in tallies for line in (*tally.lost, *tally.left)] == []
    assert sum(tally.at_writes for tally in tallies) >= 4
    assert sum(tally.again for tally in tallies) == sum(tally.kills for tally in tallies)


@pytest.fixture
def box(tmp_path):
    made = Box(tmp_path / "box").make()
    folder = made.here / "mlp"
    folder.mkdir()
    for name in ("mlp-int8.tflite", "golden.npz", "novelty.npz", "manifest.json", "parity.json", "README.md"):
        shutil.copyfile(SHIPPED / name, folder / name)
    return made


def test_a_half_file_and_one_that_is_gone_are_seen(box):
    before = check.digests(box)
    assert check.lost(box, before) == []
    for name in ("golden.npz", "manifest.json", "parity.json"):
        path = box.here / "mlp" / name
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    (box.here / "mlp" / "README.md").unlink()
    found = check.lost(box, before)
    assert found[0] == "here/mlp/README.md is gone"
    assert sorted(line.partition(":")[0] for line in found[1:]) == [
        "here/mlp/golden.npz",
        "here/mlp/manifest.json",
        "here/mlp/parity.json",
    ]


def test_files_that_do_not_agree_are_seen(box):
    before = check.digests(box)
    assert check.apart(box, before) == []
    shutil.copyfile(SHIPPED / "mlp-float16.tflite", box.here / "mlp" / "mlp-int8.tflite")
    assert check.lost(box, before) == []
    assert any("mlp-int8.tflite: changed since it was exported" in line for line in check.apart(box, before))


def test_what_writers_leave_is_seen(box):
    assert check.left(box) == []
    (box.here / "mlp" / ".mlp-0123abcd.partial.keras").touch()
    (box.here / "mlp" / ".lock").touch()
    (box.cache / "tmp3iq44uj0").touch()
    (box.tmp / "toolkit-0-00").mkdir()
    assert len(check.left(box)) == 4


def test_the_figures_are_a_table_and_a_sentence():
    tally = Tally(writes=1500, at_writes=1200, at_random=34, again=20, apart=2, lost=["x"])
    text = page.render({Verb("bundle", "shipped", ()): tally}, seconds=1234.5, seed=7)
    assert text.startswith("| verb | ")
    assert "| `bundle` | 1,500 | 1,200 | 34 | 20 | 2 | 1 | 0 |" in text
    assert "1,234 kills in 1234 s (seed 7), 1 lost, 0 left over; " in text


def test_every_verb_that_writes_is_killed():
    targets = {verb.name.split()[0].rstrip(",") for verb in (*LIGHT, *HEAVY)}
    assert targets == set(VERBS) - WRITE_NOTHING
