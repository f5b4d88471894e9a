"""``make fuzz``: damaged files of every kind, given to every reader and to the verbs.

A target makes good files and reads them. changes.py damages one of them, in ways that its form allows. child.py gives a
target its inputs, one after another. __main__.py keeps two children at work and says what came of it.
"""
