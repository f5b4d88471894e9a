"""A record is rebuilt from its images, and a changed digit or byte anywhere in it is found."""

import contextlib
import json
import shutil
from dataclasses import asdict, replace
from importlib.metadata import version

import numpy as np
import pytest

from toolkit import host, manifest
from toolkit.errors import ArtifactError, BusyError, UsageError
from toolkit.files import sha256
from toolkit.parity import card, record
from toolkit.parity.record import RECORD, ROWS, recompute
from toolkit.parity.result import Verified
from toolkit.parity.verify import VerifyOptions, select, verify
from toolkit.selftest import files


@pytest.fixture(scope="module")
def saved_once(tmp_path_factory, exported_once, tiny_npz):
    folder = shutil.copytree(exported_once, tmp_path_factory.mktemp("saved") / "cnn")
    ((found, artifacts),) = select([folder])
    record.save(verify(found, artifacts, VerifyOptions(str(tiny_npz), margin_pp=5.0), warn=pytest.fail))
    return folder


@pytest.fixture
def saved(saved_once, tmp_path):
    return shutil.copytree(saved_once, tmp_path / "saved" / "cnn")


def change(folder, edit, *, forged):
    """Edit the record, and, as a forger would, its digest."""
    path = folder / RECORD
    document = json.loads(path.read_text())
    edit(document)
    if forged:
        rest = {key: value for key, value in document.items() if key != "sha256"}
        document["sha256"] = record._digest(rest)
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    return recompute(path).differences


def test_a_record_is_what_its_images_say(saved_once):
    rebuilt = recompute(saved_once / RECORD)
    assert rebuilt.differences == ()
    assert (rebuilt.samples, rebuilt.artifacts) == (90, 6)
    assert rebuilt.figures > 6 * 20


def test_a_verification_of_what_was_exported_again_meanwhile_is_not_saved(saved):
    found = manifest.read(saved)
    part = Verified(found.artifacts[0].verified.dataset, [], found.reference_path, found, (), None)
    replace(found, created="later").write()
    before = {path.name: sha256(path) for path in saved.iterdir()}
    with pytest.raises(BusyError, match="was exported again while it was verified; nothing is saved; verify it again"):
        record._save(part, found)
    assert {path.name: sha256(path) for path in saved.iterdir()} == before


def test_a_record_has_what_a_reader_needs(saved_once):
    document = json.loads((saved_once / RECORD).read_text())
    assert document.keys() >= {"created", "dataset", "reference", "results", "verdict", "versions", "host", "rows"}
    assert document["versions"].keys() >= {"toolkit", "python", "keras", "onnxruntime", "ai-edge-litert", "numpy"}
    assert document["dataset"]["n"] == 90
    assert {result["artifact"] for result in document["results"]} == {
        artifact.path for artifact in manifest.read(saved_once).artifacts
    }
    with np.load(saved_once / ROWS) as rows:
        assert len(rows.files) == 7
        assert all(len(rows[name]) == 90 for name in rows.files)


def without(text, key):
    """Return a JSON document without a key, wherever it stands: as an older toolkit wrote it."""
    return json.loads(text, object_hook=lambda found: {name: value for name, value in found.items() if name != key})


def test_a_result_says_on_which_kernels_of_which_runtime_it_was_measured(saved_once):
    found = manifest.read(saved_once)
    results = {result["artifact"]: result for result in json.loads((saved_once / RECORD).read_text())["results"]}
    on = {artifact.path: artifact.measured_on for artifact in found.artifacts}
    assert {name: results[name]["measured_on"] for name in on} == {name: asdict(one) for name, one in on.items()}
    assert {one.kernels for one in on.values()} == {host.describe().kernels}
    assert on["cnn-int8.onnx"].runtime == f"onnxruntime {version('onnxruntime')}"
    assert on["cnn-int8.tflite"].runtime == f"ai-edge-litert {version('ai-edge-litert')}"
    (said,) = (line for line in (saved_once / "README.md").read_text().splitlines() if line.startswith("Measured on "))
    here, one = on["cnn-int8.onnx"], on["cnn-int8.tflite"].runtime
    told = here.kernels or "unknown instruction sets"  # as under emulation
    assert said == f"Measured on {told} ({here.cpu}), by {here.runtime} and {one}."


def test_a_record_from_before_it_said_where_holds_and_its_card_is_as_it_was(saved):
    path = saved / "manifest.json"
    path.write_text(json.dumps(without(path.read_text(), "measured_on")))
    card_of_it = card.render(manifest.read(saved))
    assert "Measured on" not in card_of_it
    (saved / "README.md").write_text(card_of_it)

    def age(document):
        for result in document["results"]:
            del result["measured_on"]

    assert change(saved, age, forged=True) == ()


def test_a_machine_that_no_record_names_is_found(saved):
    text = (saved / "manifest.json").read_text()
    (saved / "manifest.json").write_text(text.replace('"kernels": ', '"kernels": null, "cpu": ', 1))
    assert any("manifest.json says of cnn-float32.onnx" in one for one in recompute(saved / RECORD).differences)


def test_a_record_does_not_depend_on_where_the_models_were(saved_once, saved):
    assert str(saved_once) not in (saved_once / RECORD).read_text()
    assert recompute(saved / RECORD).differences == ()


def test_the_same_comparison_gives_the_same_rows(saved_once, saved, tiny_npz):
    ((found, artifacts),) = select([saved])
    record.save(verify(found, artifacts, VerifyOptions(str(tiny_npz), margin_pp=5.0), warn=pytest.fail))
    assert (saved / ROWS).read_bytes() == (saved_once / ROWS).read_bytes()


def test_a_fail_that_was_edited_into_a_pass_is_found(saved, tiny_npz):
    """Even with every digest, the manifest and the card made to fit: the images still say what they said."""
    files.faults(manifest.read(saved).artifacts[0])["one channel's weights zeroed"](saved / "cnn-float32.onnx")
    found = manifest.read(saved)
    faulted = replace(found.artifacts[0], sha256=sha256(saved / "cnn-float32.onnx"))
    found = replace(found, artifacts=(faulted, *found.artifacts[1:]))
    found.write()
    ((found, artifacts),) = select([saved])
    part = verify(found, artifacts, VerifyOptions(str(tiny_npz), margin_pp=5.0), warn=pytest.fail)
    assert part.comparisons[0].problem.check == "float32"
    record.save(part)
    assert recompute(saved / RECORD).differences == ()

    def whitewash(document):
        document["results"][0].update(verdict="pass", problem=None, failed_check=None)
        document["verdict"] = "pass"

    assert any("failed_check is None" in difference for difference in change(saved, whitewash, forged=True))


def test_a_record_is_of_a_whole_folder(saved, tiny_npz):
    ((found, artifacts),) = select([saved / "cnn-int8.onnx"])
    part = verify(found, artifacts, VerifyOptions(str(tiny_npz), margin_pp=5.0), warn=pytest.fail)
    before = (saved / RECORD).read_bytes()
    with pytest.raises(UsageError, match=r"a record is of a whole folder; cnn-float32.onnx, .* would be left out"):
        record.save(part)
    assert (saved / RECORD).read_bytes() == before
    assert change(saved, lambda document: document["results"].pop(), forged=True) != ()


NUMBERS = ["lost", "accuracy", "loss_upper_pp", "kl_mean_nats", "calibration_error", "mcnemar_p", "max_abs_error"]


@pytest.mark.parametrize("name", NUMBERS)
def test_a_changed_digit_is_found_even_with_a_new_digest(saved, name):
    def edit(document):
        document["results"][5][name] += 1e-9 if isinstance(document["results"][5][name], float) else 1

    differences = change(saved, edit, forged=True)
    assert any(f"cnn-int8.tflite: {name} is" in difference for difference in differences)


@pytest.mark.parametrize("forged", [True, False])
@pytest.mark.parametrize(
    "edit",
    [
        lambda document: document.update(verdict="inconclusive"),
        lambda document: document["results"][0].update(verdict="fail"),
        lambda document: document["results"][0].update(margin_pp=0.01),
        lambda document: document["results"][0]["class_images"].append(1),
    ],
)
def test_a_changed_verdict_margin_or_list_is_found(saved, edit, forged):
    assert change(saved, edit, forged=forged)


def test_words_that_no_image_can_check_are_under_the_digest(saved):
    differences = change(saved, lambda document: document["host"].update(cpu="a faster one"), forged=False)
    assert any("does not have the SHA-256 that it names" in difference for difference in differences)


def test_every_changed_byte_of_a_parity_record_is_noticed(saved):
    """Each sampled byte of both files is changed once; every change is found, or the file is no record any more."""
    rng = np.random.default_rng(0)
    for name in (RECORD, ROWS):
        whole = (saved / name).read_bytes()
        for position in rng.choice(len(whole), size=40, replace=False):
            changed = bytearray(whole)
            changed[position] ^= 1
            (saved / name).write_bytes(bytes(changed))
            with contextlib.suppress(ArtifactError):
                assert recompute(saved / RECORD).differences, f"byte {position} of {name}"
        (saved / name).write_bytes(whole)


def test_files_beside_it_that_are_others_are_named(saved):
    (saved / "cnn-int8.onnx").write_bytes(b"other")
    (saved / "README.md").write_text((saved / "README.md").read_text().replace("97", "99"))
    text = (saved / "manifest.json").read_text()
    (saved / "manifest.json").write_text(text.replace('"gained": 0', '"gained": 7', 1))
    differences = " ".join(recompute(saved / RECORD).differences)
    assert "cnn-int8.onnx is not the file that was verified" in differences
    assert "manifest.json says of cnn-float32.onnx what the record does not" in differences
    assert "README.md is not the card that the manifest gives" in differences


@pytest.mark.parametrize("content", [None, "", "{}", "[]", '{"schema": 2}', "no json"])
def test_what_is_no_record_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / RECORD).write_text(content)
    with pytest.raises(ArtifactError, match=r"a parity record|no such file|an empty file"):
        recompute(tmp_path / RECORD)
