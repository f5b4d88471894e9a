"""What a front was compared with: asked for again, or lying there damaged."""

from types import SimpleNamespace

import pytest

from tests.search.made_up import ASKED, Learned
from tests.search.test_conduct import carry_out, learn
from tests.search.test_proof import member
from toolkit import api
from toolkit.api import searches
from toolkit.errors import RunError, ToolkitWarning
from toolkit.files import documents, write_json, write_text
from toolkit.search.conduct import Limits
from toolkit.search.proof import PROOF, Paired, Proof


@pytest.fixture
def again(here, monkeypatch, many):
    """Call a finished search again that was made against a model, or only compared with it."""
    monkeypatch.setattr("toolkit.data.load", lambda data, **options: many)
    origin = SimpleNamespace(sha256="1")
    monkeypatch.setattr(
        "toolkit.export.sources.resolve", lambda given: SimpleNamespace(keras_path=here / given, origin=origin)
    )
    folder = here / "runs" / "search"
    with monkeypatch.context() as patch:
        patch.setattr("toolkit.search.conduct.prove", lambda search, *_, **__: search)
        carry_out(folder, many, Learned(learn), limits=Limits(trials=1))

    def call(rival, against, *, must_match=True, sha256=None):
        paired = None if rival is None else Paired(1, 1)
        right = None if rival is None else 9_899
        proof = Proof(10_000, None, rival, right, must_match, (member(rival=paired),), sha256)
        write_json(folder / PROOF, {"schema": 1, **documents.to_tree(proof)})
        return api.search(ASKED.budgets, epochs=ASKED.epochs, final_epochs=0, against=against).proof.rival == rival

    return call


def test_a_search_whose_test_set_was_opened_returns_its_proof(again):
    assert again("a.keras", "a.keras")
    assert again("a.keras", "a.keras", sha256="1")
    assert again("cnn.keras", None, must_match=False)
    assert again(None, None, must_match=False)


@pytest.mark.parametrize(
    ("rival", "against", "must_match", "how"),
    [
        ("a.keras", "b.keras", True, "beside a.keras"),
        ("a.keras", None, True, "beside a.keras"),
        ("cnn.keras", "cnn.keras", False, "without --against"),
        (None, "a.keras", False, "without --against"),
    ],
)
def test_a_search_whose_test_set_was_opened_takes_no_other_rival_and_not_none(again, rival, against, must_match, how):
    with pytest.raises(RunError, match=f"its test set was opened {how}, and is opened once; ask for the same, or"):
        again(rival, against, must_match=must_match)


def test_a_rival_that_has_changed_at_its_place_is_refused(again):
    with pytest.raises(RunError, match=r"beside a\.keras as it was then, and is opened once"):
        again("a.keras", "a.keras", sha256="2")


def test_a_damaged_model_that_nobody_named_is_only_told(tmp_path, monkeypatch, tiny):
    monkeypatch.setattr(searches, "_SHIPPED", tmp_path)
    assert searches._shipped(tiny) is None
    write_text(tmp_path / "manifest.json", "{")
    with pytest.warns(ToolkitWarning, match=f"no comparison with {tmp_path}: "):
        assert searches._shipped(tiny) is None
