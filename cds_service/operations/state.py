"""The folder that the workers of one start share: counters, ledgers and the retry cache; in memory if possible."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
import shutil
import tempfile
import time
from pathlib import Path

from cds_service.records import ledger

_NAME = "surgical-risk-"
_LOCK = "lock"
# The workers of a start that was killed are there for a few seconds more.
WAIT_S = 5.0
_LOOK_S = 0.1
# A start makes its folder before it holds it.
_YOUNG_S = 600.0
# With less than this, no answer is remembered for a retry for long; a container's /dev/shm has 64 MB.
LOW_BYTES = 1024 * 1024
_HELD: list[int] = []
# Drawn before the fork: what all workers take for a key where no file of it can be written.
_DRAWN = secrets.token_bytes(32)
# Below the folder of a deployment: what its workers remember of their answers (trust/retries.py).
ANSWERS = "answers"
LEDGERS = "ledgers"
_MEMORY = Path("/dev/shm")  # noqa: S108 — a folder of mode 0700 in it, below


class InUseError(Exception):
    """Another start works with this folder."""


def folder(database_url: str, bind: str) -> Path:
    """The folder of a deployment on this machine, mode 0700; the same after a restart, so that losses are found."""
    named = hashlib.sha256(f"{os.getuid()}\x00{database_url}\x00{bind}".encode()).hexdigest()[:16]
    path = _parent() / f"{_NAME}{named}"
    path.mkdir(mode=0o700, exist_ok=True)
    if path.is_symlink() or path.stat().st_uid != os.getuid():
        raise PermissionError(f"{path} belongs to somebody else")
    path.chmod(0o700)
    return path


def _parent() -> Path:
    return _MEMORY if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) else Path(tempfile.gettempdir())


def hold(path: Path, *, wait_s: float = WAIT_S) -> None:
    """Take the folder for this process and what it forks, until it ends. Raises InUseError where another start has it.

    So a second start changes nothing of the first, whatever port it was given.
    """
    try:
        lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:  # cannot be written, so nothing of it can be lost; `trouble` tells
        return
    until = time.monotonic() + wait_s
    while not _locked(lock):
        if time.monotonic() >= until:
            os.close(lock)
            raise InUseError(f"{path} is in use by another start of the service")
        time.sleep(_LOOK_S)
    _HELD.append(lock)


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_memory(path: Path) -> bool:
    """Whether what lies in the folder never reaches a disk."""
    return path.is_relative_to(_MEMORY)


def key(path: Path) -> bytes:
    """32 secret bytes that every worker of this machine reads alike; made by the first who asks."""
    file = path / "key"
    drawn = path / f"key.{os.getpid()}"
    try:
        if not file.exists():
            drawn.touch(mode=0o600)
            drawn.write_bytes(secrets.token_bytes(32))
            with contextlib.suppress(FileExistsError):
                file.hardlink_to(drawn)
            drawn.unlink()
        return file.read_bytes()
    except OSError:
        with contextlib.suppress(OSError):
            drawn.unlink()
        return _DRAWN


def answers(path: Path) -> Path | None:
    """Where workers remember answers together; None where that would reach a disk, or cannot be written."""
    if not is_memory(path):
        return None
    try:
        (path / ANSWERS).mkdir(mode=0o700, exist_ok=True)
    except OSError:
        return None
    return path / ANSWERS


def free_bytes(path: Path) -> int:
    """What the file system of the folder has left."""
    found = os.statvfs(path)
    return found.f_bavail * found.f_frsize


def trouble(path: Path) -> str | None:
    """Why less is remembered there than should be; None where nothing is in the way."""
    try:
        if not os.access(path, os.W_OK):
            return "the state directory cannot be written: retries are remembered by each worker alone"
        if free_bytes(path) < LOW_BYTES:
            return "the state directory is full: exact retries may be computed anew"
    except OSError:
        return "the state directory is gone"
    return None


def share_metrics(path: Path) -> None:
    """Let the workers about to start count together; to be called before anything imports prometheus_client."""
    metrics = path / "metrics"
    shutil.rmtree(metrics, ignore_errors=True)
    with contextlib.suppress(OSError):  # each worker then counts alone (metric_files.py), and says so
        metrics.mkdir(mode=0o700, exist_ok=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(metrics)


def forget_answers(path: Path) -> None:
    """Remove what the workers of an earlier start, or of the one that ends, remembered of their answers."""
    shutil.rmtree(path / ANSWERS, ignore_errors=True)


def sweep() -> int:
    """Remove the folders that services which are no more left in memory; how many.

    Of one whose ledger says that rows were lost, the ledger stays: its own next start has to count them.
    """
    swept = 0
    for path in _parent().glob(f"{_NAME}*"):
        with contextlib.suppress(OSError):
            if path.is_symlink() or path.stat().st_uid != os.getuid() or not _is_left(path):
                continue
            for part in path.iterdir():
                if part.name != LEDGERS:
                    shutil.rmtree(part) if part.is_dir() else part.unlink()
            if not any(ledger.lost_of(one) for one in (path / LEDGERS).glob(f"*{ledger.SUFFIX}")):
                shutil.rmtree(path)
            swept += 1
    return swept


def _is_left(path: Path) -> bool:
    """Whether nobody holds the folder: no start by its lock, and no worker of a start by its ledger."""
    if time.time() - path.stat().st_mtime < _YOUNG_S or any(map(ledger.is_alive, (path / LEDGERS).glob("*"))):
        return False
    if not (path / _LOCK).exists():
        return True
    lock = os.open(path / _LOCK, os.O_RDWR)
    try:
        return _locked(lock)
    finally:
        os.close(lock)
