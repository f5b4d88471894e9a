import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.properties import quick
from toolkit import wire

TEXT = st.text(max_size=20)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=5)
MESSAGES = st.dictionaries(TEXT.filter(lambda key: key != "bytes"), VALUES, max_size=3)
# All of them fit into a pipe.
CONVERSATIONS = st.lists(st.tuples(MESSAGES, st.binary(max_size=300)), max_size=3)


@quick
@given(CONVERSATIONS, st.integers(1, 64))
def test_messages_arrive_as_they_were_sent_however_they_are_cut(conversation, piece_bytes):
    source, target = os.pipe()
    try:
        channel = wire.Channel(source, target)
        for message, content in conversation:
            channel.send(message, content)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(wire, "PIECE_BYTES", piece_bytes)
            assert [channel.receive() for _ in conversation] == conversation
        assert not channel.waiting(0)
    finally:
        os.close(source)
        os.close(target)
