"""Packages of the extras are imported late, and without what slows that down."""

import gc

from toolkit import extras


def test_no_garbage_is_looked_for_while_a_package_is_imported(tmp_path, monkeypatch):
    (tmp_path / "tells_of_its_import.py").write_text("import gc\nCOLLECTED = gc.isenabled()\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert extras.load("tells_of_its_import").COLLECTED is False
    assert gc.isenabled()
