"""The answer to a request that comes again: same bytes, same uuids, for minutes, in every worker (R-08, DEC-17).

It is found only while everything that it rests on is as it was (answer_state.py): a switch, another model, a
recalibration or a tenant file ends it at once. What is kept is enciphered with a key made from the request itself:
only who holds the request can read its answer. It lies in a folder in memory that all workers share, removed at the
stop; without one each worker keeps its own. Nothing is persisted.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import threading
import time
from collections import OrderedDict
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEEP_S = 300.0
SWEEP_S = 30.0
# Of the folder, for all workers together: a container's /dev/shm has 64 MB, counters and ledgers lie in it too.
MOST_BYTES = 16 * 1024 * 1024
MOST_OWN_BYTES = 4 * 1024 * 1024
_NONCE_BYTES = 12


class RetryCache:
    """Answers of the last minutes; lives as long as its worker, its folder as long as the start."""

    def __init__(self, folder: Path | None, *, workers: int = 1) -> None:
        """`workers`: how many write to the folder, each its share of the bytes before it looks what is there."""
        self._folder = folder
        self._path = f"{folder}/"
        self._share = MOST_BYTES // 2 // workers
        self._own: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._own_bytes = self._written = 0
        self._lock = threading.Lock()
        self._ended = threading.Event()
        if folder is not None:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def find(self, request: Request) -> bytes | None:
        """The answer given before to this very request in this very state; None if none was in the last minutes."""
        if self._folder is None:
            kept_at, answer = self._own.get(request.name, (0.0, b""))
            return answer if time.time() - kept_at <= KEEP_S else None
        try:
            file = os.open(self._path + request.name, os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            state = os.fstat(file)
            if time.time() - state.st_mtime > KEEP_S:
                return None
            sealed = os.read(file, state.st_size)
            return AESGCM(request.key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)
        except (InvalidTag, ValueError):
            return None  # another worker is still writing it
        finally:
            os.close(file)

    def keep(self, request: Request, answer: bytes) -> None:
        """Keep an answer for a retry."""
        if self._folder is None:
            self._keep_own(request.name, answer)
            return
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = nonce + AESGCM(request.key).encrypt(nonce, answer, None)
        with contextlib.suppress(OSError):  # a full folder costs a retry its sameness, never an answer
            file = os.open(self._path + request.name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                os.write(file, sealed)
            finally:
                os.close(file)
        self._written += _on_disk(len(sealed))
        if self._written > self._share:
            self.sweep()

    def watch(self) -> None:
        """Forget what is too old until `close`, in a thread of this worker: also where nobody calls any more."""
        threading.Thread(target=self._watch, name="answers", daemon=True).start()

    def close(self) -> None:
        """Stop looking, and forget what this worker alone remembers."""
        self._ended.set()
        with self._lock:
            self._own.clear()
            self._own_bytes = 0

    def sweep(self) -> None:
        """Forget what is older than KEEP_S, and of the rest the oldest beyond half of the bytes."""
        self._written = 0
        now, left = time.time(), MOST_BYTES // 2
        if self._folder is None:
            with self._lock:
                self._trim(now)
            return
        with contextlib.suppress(OSError), os.scandir(self._folder) as entries:
            kept = sorted(((one.stat().st_mtime, one.stat().st_size, one.path) for one in entries), reverse=True)
            for written_at, size, path in kept:
                left -= _on_disk(size)
                if left < 0 or now - written_at > KEEP_S:
                    Path(path).unlink(missing_ok=True)

    def _keep_own(self, name: str, answer: bytes) -> None:
        now = time.time()
        with self._lock:
            _, before = self._own.pop(name, (0.0, b""))
            self._own[name] = (now, answer)
            self._own_bytes += len(answer) - len(before)
            self._trim(now)

    def _trim(self, now: float) -> None:
        """The oldest stand first."""
        while self._own:
            name, (kept_at, answer) = next(iter(self._own.items()))
            if self._own_bytes <= MOST_OWN_BYTES and now - kept_at <= KEEP_S:
                return
            del self._own[name]
            self._own_bytes -= len(answer)

    def _watch(self) -> None:
        while not self._ended.wait(SWEEP_S):
            self.sweep()


def _on_disk(size: int) -> int:
    """What a file takes of a file system in memory: whole pages."""
    return -(-size // 4096) * 4096


class Request:
    """What makes a request the same as another: its tenant, its bytes (the hookInstance is among them) and the state.

    `state`: what its answer rests on besides. The key is the request's own: with the random nonce before each answer
    no two are ever enciphered alike.
    """

    __slots__ = ("key", "name")

    def __init__(self, tenant_id: str, body: bytes, state: bytes) -> None:
        same = tenant_id.encode() + b"\x00" + hashlib.sha256(body).digest() + state
        self.name = hashlib.sha256(b"name\x00" + same).hexdigest()
        self.key = hashlib.sha256(b"key\x00" + same).digest()
