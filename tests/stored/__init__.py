"""A tiny run and its export as files: whoever reads these needs no TensorFlow, and waits for nobody.

    python -m tests.stored

makes them again. ``tests/test_stored.py`` holds them against an export of today.
"""

from pathlib import Path

RUN = Path("runs", "tiny-cnn")
EXPORTED = Path("exported", "cnn")
HERE = Path(__file__).parent
