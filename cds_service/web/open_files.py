"""How many files a worker may hold open, and how many of them may be connections of its clients."""

from __future__ import annotations

import errno
import resource

# What the system says where one file more cannot be had (accept(2)).
NO_MORE = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))
# Connections of 64 tenants to their servers, the database and the models need a few hundred.
ENOUGH = 8192
_AT_LEAST_OURS = 100


def for_connections() -> int:
    """So many clients at once, besides half as many that are being hung up on; the rest is left for our own use."""
    files = _most()
    ours = max(_AT_LEAST_OURS, files // 4)
    return max(1, (files - ours) * 2 // 3)


def _most() -> int:
    """As many as this process may have, which it may raise to what its start allows (systemd begins with 1,024)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft == resource.RLIM_INFINITY or soft >= most:
        return most
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return most
