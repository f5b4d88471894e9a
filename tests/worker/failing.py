"""Tasks that a worker cannot carry out."""


class Vast(bytes):
    """Bytes that are a petabyte, as far as they tell."""

    def __len__(self):
        return 1 << 50


def eat(kept, content):
    """Ask for more than there is."""
    raise MemoryError


def loop(kept, content):
    """Go on for ever."""
    while True:
        pass


def tell(kept, content):
    """Answer with more than the memory suffices for."""
    return {}, Vast()


TASKS = {"eat": eat, "loop": loop, "tell": tell}
