"""Tasks that a worker cannot carry out."""


def eat(kept, content):
    """Ask for more than there is."""
    raise MemoryError


def loop(kept, content):
    """Go on for ever."""
    while True:
        pass


TASKS = {"eat": eat, "loop": loop}
