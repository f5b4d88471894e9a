"""Rows come to the training in the order that is asked for, from a file without taking its size in memory."""

import subprocess
import sys

import numpy as np
import pytest

from tests.test_photos import folders
from toolkit import extras
from toolkit.training import feed

__all__ = ["folders"]
pytestmark = [pytest.mark.training, pytest.mark.slow]


@pytest.mark.parametrize("resident", [True, False])
def test_blocks_hold_the_rows_in_the_order_that_is_asked_for(tiny, monkeypatch, resident):
    monkeypatch.setattr(feed, "RESIDENT_BYTES", tiny.train.images.nbytes if resident else 0)
    monkeypatch.setattr(feed, "STREAM_BYTES", 64 * 20)
    rows = feed.Feed(extras.load("tensorflow"), tiny.train)
    assert (rows.resident, len(rows)) == (resident, 240)
    order = np.random.default_rng(0).permutation(240)[:50]
    blocks = list(rows.blocks(order, batches=3, batch_size=8))
    assert [len(part) for *_, part in blocks] == ([24, 24, 2] if resident else [16, 16, 16, 2])
    images = np.concatenate([pixels.numpy()[part] for pixels, _, part in blocks])
    labels = np.concatenate([numbers.numpy()[part] for _, numbers, part in blocks])
    np.testing.assert_array_equal(images, tiny.train.images[order])
    np.testing.assert_array_equal(labels, tiny.train.labels[order])


PROGRAM = """
import sys
import numpy as np
from toolkit import data, extras, host, photos
from toolkit.training import feed

photos.IN_MEMORY_SHARE, feed.RESIDENT_BYTES, feed.STREAM_BYTES = 0, 0, 1 << 20
train = data.load(sys.argv[1], warn=print).train
rows = feed.Feed(extras.load("tensorflow"), train)
order = np.random.default_rng(0).permutation(len(train))
taken = [host.process_memory_bytes("VmRSS") for _ in rows.blocks(order, batches=100, batch_size=50)]
print(len(taken), max(taken) - taken[0], train.images.nbytes)
"""


def test_an_epoch_of_what_lies_in_a_file_takes_a_part_of_its_size(folders):
    command = [sys.executable, "-c", PROGRAM, folders / "many"]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    blocks, grown, size = map(int, done.stdout.split())
    assert (blocks, size) == (39, 38_400_000)
    assert grown < 0.3 * size
