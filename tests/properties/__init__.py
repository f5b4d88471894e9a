"""What must hold for every input of a module. hypothesis looks for one that breaks it, among the same each time."""

from hypothesis import settings

quick = settings(max_examples=50, deadline=None, derandomize=True, database=None)
