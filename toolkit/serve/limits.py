"""What one client may ask for: sizes, times, and how often."""

import time
from collections import OrderedDict
from collections.abc import Callable

# A photo of 12 megapixels has 3 to 8 MB as a JPEG.
BODY_BYTES = 8 << 20
PIXELS = 16_000_000
# A body of at most so many bytes, with an image of at most so many pixels, may be read without a thread.
SMALL_BYTES, SMALL_PIXELS = 8 << 10, 1 << 14
# Looks at one image: twenty digits of a photo, each as it is and turned. A page full of digits is no live picture.
LOOKS = 60
# Requests that are worked on at a time, and connections.
REQUESTS, CONNECTIONS = 64, 128
# Seconds until a request's head and its body must be here, and that a connection may stay idle between two requests.
HEAD_S, BODY_S, IDLE_S = 10.0, 20.0, 30
# Seconds for the rest of a request that was refused.
LINGER_S = 5.0
# Requests a second of one client, and how many it may be ahead; the clients that are remembered.
RATE, BURST = 500.0, 500.0
CLIENTS = 1024


class Rate:
    """A token bucket for each client (https://en.wikipedia.org/wiki/Token_bucket); the longest silent are forgotten."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def allows(self, client: str) -> bool:
        """Count a request of a client, and say whether it may be served."""
        now_s = self._clock()
        left, seen_s = self._buckets.pop(client, (BURST, now_s))
        left = min(BURST, left + (now_s - seen_s) * RATE)
        self._buckets[client] = (max(0.0, left - 1), now_s)
        if len(self._buckets) > CLIENTS:
            self._buckets.popitem(last=False)
        return left >= 1
