"""What is passed on tells nothing of the folder that it was made in."""

import shutil
from pathlib import Path

from toolkit import api
from toolkit.files import relative_to_here


def test_a_page_names_no_folder_above_the_current_one(shipped, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "run" / "exported" / "mlp"
    shutil.copytree(shipped, folder)
    (page,) = api.report(folder, output="page.html")
    text = page.path.read_text(encoding="utf-8")
    assert "toolkit verify run/exported/mlp --golden" in text
    assert str(tmp_path) not in text


def test_what_lies_below_the_current_folder_is_called_from_there(tmp_path, here):
    assert relative_to_here(tmp_path / "there") is None
    assert relative_to_here(Path("../there")) is None
    assert str(relative_to_here(here / "exported")) == str(relative_to_here(Path("../here/exported"))) == "exported"
