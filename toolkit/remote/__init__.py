"""Remote: run a benchmark or a verification on devices over the system's OpenSSH client, and bring home what it gave.

``provision``, ``cache`` and ``wire`` also run on a device that has nothing but Python; ``agent`` in the environment
that is made there.
"""
