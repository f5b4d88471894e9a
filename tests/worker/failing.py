"""Tasks that a worker cannot carry out."""


def eat(kept, content):
    """Ask for more than there is."""
    raise MemoryError


TASKS = {"eat": eat}
