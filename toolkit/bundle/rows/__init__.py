"""How the ``classify.py`` of a bundle reads rows of values: one module a kind of file, each with its ``read``."""
