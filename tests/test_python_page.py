"""docs/python.md and docs/example.py: every line of them runs."""

import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.slow
def test_the_examples_of_the_page_run_one_after_the_other(here):
    from PIL import Image

    paper = np.full((100, 100), 255, np.uint8)
    paper[20:80, 45:55] = 0  # a one
    Image.fromarray(paper).save("photo.png")
    names = {}
    with warnings.catch_warnings():
        for block in re.findall(r"```python\n(.*?)```", (DOCS / "python.md").read_text(), re.DOTALL):
            exec(block, names)
    assert names["run"].test.accuracy > 0.8
    assert len(names["summary"]) == 6
    assert names["probabilities"].shape == (2, 10)
    assert 0 < names["seconds"] < 1
    assert Path(names["best"]).is_file()
    assert names["reason"] == "nowhere: no such file or folder"


@pytest.mark.slow
def test_the_example_trains_exports_verifies_and_plots(tmp_path):
    script = [sys.executable, str(DOCS / "example.py")]
    environment = {**os.environ, "MPLBACKEND": "agg"}
    done = subprocess.run(script, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "10 of 10 loss " in done.stdout
    assert (tmp_path / "example.png").stat().st_size > 10_000
