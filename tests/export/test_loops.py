"""What a graph computes in loops and calls, it computes without them, or one sentence says why it cannot."""

import numpy as np
import pytest

from toolkit import extras
from toolkit.errors import ArtifactError
from toolkit.export.loops import BRANCHES, CALLS, LOOPS, has_loops, write_out

pytestmark = pytest.mark.slow
STEPS = 4


@pytest.fixture(scope="module")
def tf():
    return extras.load("tensorflow")


@pytest.fixture
def written(tf):
    """Write out a function of rows (N, STEPS, 2); return what was written and what it answers."""

    def write(compute):
        rows = np.random.default_rng(0).random((3, STEPS, 2), np.float32)
        signature = [tf.TensorSpec((None, STEPS, 2), tf.float32, name="rows")]
        function = tf.function(compute, input_signature=signature).get_concrete_function()
        before = function.graph.as_graph_def()
        assert has_loops(before)
        graph, given, answer = write_out(function, before.library, what="net")
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            (result,) = tf.graph_util.import_graph_def(graph, return_elements=[answer], name="")
            answered = session.run(result, {f"{given}:0": rows})
        np.testing.assert_allclose(answered, function(tf.constant(rows)), atol=1e-6)
        return graph

    return write


def operators(graph):
    assert not graph.library.function
    return {node.op for node in graph.node}


def test_a_loop_over_steps_is_one_step_after_the_other(tf, written):
    def summed(rows):
        steps = tf.TensorArray(tf.float32, STEPS).unstack(tf.transpose(rows, (1, 0, 2)))
        answers = tf.TensorArray(tf.float32, STEPS)

        def step(place, total, answers):
            total = tf.tanh(total + steps.read(place))
            return place + 1, total, answers.write(place, total)

        first = tf.constant(0), tf.zeros_like(rows[:, 0]), answers
        _, last, answers = tf.while_loop(lambda place, *_: place < STEPS, step, first, maximum_iterations=STEPS)
        return last + tf.reduce_mean(answers.stack(), axis=0) * tf.cast(answers.size(), tf.float32)

    graph = written(summed)
    assert operators(graph).isdisjoint({*LOOPS, *CALLS, *BRANCHES})
    assert not [name for name in operators(graph) if name.startswith("TensorList")]
    assert [node.op for node in graph.node].count("Tanh") == STEPS


def test_a_call_and_a_branch_that_is_always_taken_are_written_out(tf, written):
    @tf.function(autograph=False)
    def doubled(rows):
        return 2.0 * rows

    def compute(rows):
        return tf.cond(tf.identity(tf.constant(2)) > 1, lambda: doubled(rows), lambda: rows)

    assert operators(written(compute)).isdisjoint({*LOOPS, *CALLS, *BRANCHES})


def test_what_depends_on_the_rows_is_refused(tf, written):
    def until(rows):
        return tf.while_loop(lambda total: tf.reduce_max(total) < 9.0, lambda total: (total + 1.0,), (rows,))[0]

    with pytest.raises(
        ArtifactError, match=r"^net: has a loop or a branch that depends on the rows; save the model as \."
    ):
        written(until)


def test_a_list_that_is_put_to_another_use_is_refused_by_its_operator(tf, written):
    def joined(rows):
        answers = tf.TensorArray(tf.float32, STEPS, element_shape=(2,))

        def step(place, answers):
            return place + 1, answers.write(place, rows[0, place])

        _, answers = tf.while_loop(lambda place, *_: place < STEPS, step, (tf.constant(0), answers))
        return answers.concat()

    with pytest.raises(
        ArtifactError, match=r"^net: computes with TensorListConcatV2 in a loop; save the model as \.keras"
    ):
        written(joined)
