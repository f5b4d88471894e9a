"""How the ``classify.py`` of a bundle reads rows of values: one module a kind of file.

FUNCTIONS of a member stand in the program; the last, ``read``, takes the place of the base's.
"""
