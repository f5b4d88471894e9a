"""Which statements of toolkit a command runs, and all processes below it that inherit PYTHONPATH, however they end.

Where Python has no ``sys.monitoring``, which is before 3.12, coverage.py learns this by tracing. That makes all code
slower, TensorFlow's too, on 3.11 several times (https://github.com/python/cpython/issues/93516), and a process that is
killed loses what it had traced. Here toolkit is compiled once with a mark before each statement; a mark sets a byte of
a file that the processes share. The lines of ``except`` and ``case`` clauses of which none fits are left out.
"""
