"""The folder that the workers of one start share: counters, ledgers and the retry cache; in memory if possible."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import tempfile
from pathlib import Path

# Below the folder of a deployment: what its workers remember of their answers (trust/retries.py).
ANSWERS = "answers"
_MEMORY = Path("/dev/shm")  # noqa: S108 — a folder of mode 0700 in it, below


def folder(database_url: str, bind: str) -> Path:
    """The folder of a deployment on this machine, mode 0700; the same after a restart, so that losses are found."""
    named = hashlib.sha256(f"{os.getuid()}\x00{database_url}\x00{bind}".encode()).hexdigest()[:16]
    parent = _MEMORY if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) else Path(tempfile.gettempdir())
    path = parent / f"surgical-risk-{named}"
    path.mkdir(mode=0o700, exist_ok=True)
    if path.is_symlink() or path.stat().st_uid != os.getuid():
        raise PermissionError(f"{path} belongs to somebody else")
    path.chmod(0o700)
    return path


def is_memory(path: Path) -> bool:
    """Whether what lies in the folder never reaches a disk."""
    return path.is_relative_to(_MEMORY)


def key(path: Path) -> bytes:
    """32 secret bytes that every worker of this machine reads alike; made by the first who asks."""
    file = path / "key"
    if not file.exists():
        drawn = path / f"key.{os.getpid()}"
        drawn.touch(mode=0o600)
        drawn.write_bytes(secrets.token_bytes(32))
        with contextlib.suppress(FileExistsError):
            file.hardlink_to(drawn)
        drawn.unlink()
    return file.read_bytes()


def share_metrics(path: Path) -> None:
    """Let the workers about to start count together; to be called before anything imports prometheus_client."""
    metrics = path / "metrics"
    shutil.rmtree(metrics, ignore_errors=True)
    metrics.mkdir(mode=0o700)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(metrics)


def forget_answers(path: Path) -> None:
    """Remove what the workers of an earlier start, or of the one that ends, remembered of their answers."""
    shutil.rmtree(path / ANSWERS, ignore_errors=True)
