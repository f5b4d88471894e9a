"""The space: what is a network of it, and which ones take the least."""

import pytest

from tests.search.made_up import choice
from toolkit.errors import UsageError
from toolkit.models.tiny import TinyShape
from toolkit.search import space


def test_a_choice_is_a_model_as_train_takes_it():
    assert choice(8, depth=3, conv="separable").model == "tiny:width=8,depth=3,kernel=3,conv=separable,reduce=pool"
    with pytest.raises(UsageError, match="width=0"):
        choice(0)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"width": 40}, "the width is 40; it must be from 2 to 32"),
        ({"kernel": 7}, "the kernel is 7; it must be from 3 to 5"),
        ({"rate": 0.1}, "the learning rate is 0.1; it must be from 0.0005 to 0.02"),
    ],
)
def test_a_network_of_the_family_that_is_not_searched_is_no_choice(values, says):
    with pytest.raises(UsageError, match=says):
        choice(**values)


def test_every_corner_of_the_space_is_a_network():
    for width in space.WIDTHS:
        for depth in space.DEPTHS:
            for kernel in space.KERNELS:
                TinyShape(width, depth, kernel)


def test_a_network_contains_narrower_ones_and_those_of_smaller_kernels():
    assert choice(8, kernel=5).contains(choice(8))
    assert choice(8).contains(choice(2, rate=0.01))
    assert not choice(8).contains(choice(9))
    assert not choice(8).contains(choice(2, reduce="stride"))


def test_a_network_deepens_the_same_one_with_fewer_blocks():
    assert choice(depth=4).deepens(choice(depth=2))
    assert not choice(depth=4).deepens(choice(depth=4))
    assert not choice(depth=4).deepens(choice(depth=2, conv="separable"))


def test_the_smallest_networks_are_one_for_each_depth_and_kind():
    found = list(space.smallest())
    assert len(found) == len(set(found)) == 5 * 2 * 2
    assert {(one.width, one.kernel) for one in found} == {(2, 3)}


@pytest.mark.parametrize("most", [1, 2, 3, 17, 31, 32, 40])
def test_the_widest_network_that_fits_is_found_by_few_looks(most):
    looked = []
    found = space.widest(choice(4), lambda one: looked.append(one.width) or one.width <= most)
    assert found == (None if most < 2 else choice(min(most, 32)))
    assert len(looked) <= 5


def test_the_usual_networks_are_within_the_space():
    usual, other = space.usual()
    assert usual.shape == TinyShape()
    assert other.shape == TinyShape(reduce="stride")
    assert space.WIDTHS[0] <= usual.width <= space.WIDTHS[1]
    assert space.DEPTHS[0] <= usual.depth <= space.DEPTHS[1]
    assert usual.learning_rate == pytest.approx(0.00316, rel=1e-2)
