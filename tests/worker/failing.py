"""Tasks that a worker cannot carry out."""

from toolkit.files import memory


def eat(kept, content):
    """Ask for more than there is."""
    raise MemoryError


def loop(kept, content):
    """Go on for ever."""
    while True:
        pass


def tell(kept, content):
    """Answer with more than the memory suffices for."""
    memory.host.available_memory_bytes = lambda: 1 << 20
    return {}, bytes(2 << 20)


TASKS = {"eat": eat, "loop": loop, "tell": tell}
