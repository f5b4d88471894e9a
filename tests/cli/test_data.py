"""``toolkit data``."""

import json

import pytest

from toolkit import registry

MISTAKES = [
    (("data", "--fetch"), "--fetch needs the names"),
    (("data", "CUT.npz"), "CUT.npz: cannot be read as a .npz file"),
    (("data", "EMPTY"), "no data set was recognised there"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES)
def test_a_mistake_gets_one_clear_line_and_exit_code_2(mistake, arguments, message):
    mistake(*arguments, says=message)


def test_data_lists_every_source(cli, no_mnist):
    code, out, err = cli("data")
    assert (code, err) == (0, "")
    for name in registry.names("toolkit.data"):
        assert name in out
    code, out, _ = cli("data", "--json")
    listed = {result["source"]: result for result in json.loads(out)["results"]}
    assert listed["mnist"]["path"] is None
    assert listed["sample"]["path"].endswith("mnist_5k.csv.gz")


def test_data_checks_a_named_set(cli, tiny_npz):
    code, out, _ = cli("data", tiny_npz, "--json")
    assert code == 0
    (result,) = json.loads(out)["results"]
    assert (result["train"], result["test"], result["input_shape"]) == (240, 90, [8, 8, 1])
    code, out, _ = cli("data", tiny_npz)
    assert "240 + 90 images of 8×8×1, 3 classes" in out


def test_data_does_not_download_unasked(cli, no_mnist):
    code, _, err = cli("data", "mnist")
    assert code == 2
    assert "add --fetch" in err
