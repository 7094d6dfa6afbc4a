"""Whether this node is about to stop: told by the arbiter, seen by every worker without any reading or writing."""

from __future__ import annotations

import mmap

# How many seconds a client should wait before it asks for readiness again.
RETRY_AFTER_S = 5


class Drain:
    """One byte of memory that the workers share with the process that forked them."""

    def __init__(self) -> None:
        self._byte = mmap.mmap(-1, 1)

    def begin(self) -> None:
        """The node takes leave: whoever asks is told that it is not ready, and calls are still answered."""
        self._byte[0] = 1

    @property
    def has_begun(self) -> bool:
        """Whether the node is taking leave."""
        return self._byte[0] == 1


# Made before the fork, by the first import.
OF_THIS_NODE = Drain()
