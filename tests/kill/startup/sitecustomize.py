"""Imported by each Python that starts with this folder on its path: kills the worker of a study, and the study too."""

import os
import sys

if "toolkit.study.worker" in sys.orig_argv:
    from tests.kill.hook import VARIABLE, Counter

    Counter(int(os.environ[VARIABLE]), parent=True)
