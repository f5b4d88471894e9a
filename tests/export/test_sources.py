"""What an export starts from: what is found, what it knows, and what is refused."""

import shutil
from pathlib import Path

import pytest

from toolkit import manifest
from toolkit.errors import ArtifactError, RunError, UsageError
from toolkit.export import sources
from toolkit.export.exporter import ExportOptions, export
from toolkit.export.formats import plan


@pytest.mark.slow
def test_an_export_is_a_source_that_knows_what_its_run_knew(exported, trained_folder, tiny):
    before, original = manifest.read(exported), sources.resolve(str(exported))
    export(original, tiny, exported, ExportOptions(plan(["onnx"], ["float32"]), 50), warn=pytest.fail)
    after = manifest.read(exported)
    assert (after.source, after.recipe, after.reference) == (before.source, before.recipe, before.reference)
    assert after.source.run == trained_folder.name
    assert [a.path for a in after.artifacts] == [a.path for a in before.artifacts]
    assert (exported / "loss.png").is_file()
    (exported / "cnn.keras").write_bytes(b"changed")
    with pytest.raises(ArtifactError, match=r"cnn\.keras: changed since it was exported"):
        sources.resolve(str(exported))


def test_sources_that_lead_nowhere_are_named(tmp_path, here):
    with pytest.raises(UsageError, match=r"nosuch: no such file, folder or run; allowed: .*; known runs: none"):
        sources.resolve("nosuch")
    Path("notes.md").touch()
    with pytest.raises(
        UsageError, match=r"notes\.md: neither a run nor an export; allowed: .* a \.keras or \.h5 file, or a SavedModel"
    ):
        sources.resolve("notes.md")
    Path("a\x1bb.keras").write_bytes(b"a model")
    with pytest.raises(UsageError, match="rename it, artifacts are named after it"):
        sources.resolve("a\x1bb.keras")
    with pytest.raises(ArtifactError, match=r"none\.keras: no such file"):
        sources.resolve("none.keras")
    with pytest.raises(RunError, match="'toolkit train' makes one"):
        sources.newest_of_each_model()


def test_the_newest_run_of_each_model_is_found(trained_folder, here):
    shutil.copytree(trained_folder, here / "runs" / "first")
    newer = Path(shutil.copytree(trained_folder, here / "runs" / "second"))
    text = (newer / "config.json").read_text()
    start = text.index('"started": "') + len('"started": "')
    (newer / "config.json").write_text(text[:start] + "9" + text[start + 1 :])
    assert [source.keras_path.parent.name for source in sources.newest_of_each_model()] == ["second"]


def test_members_of_a_family_are_one_model_to_an_export(trained_folder, here):
    for width in (3, 4):
        config = shutil.copytree(trained_folder, here / "runs" / str(width)) / "config.json"
        config.write_text(config.read_text().replace('"model": "cnn"', f'"model": "tiny:width={width}"'))
    (found,) = sources.newest_of_each_model()
    assert found.name == "tiny"
