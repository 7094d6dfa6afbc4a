"""The answer to a request that comes again: same bytes, same uuids, for minutes, in every worker (R-08, DEC-17).

What is kept is enciphered with a key made from the request itself: only who holds the request can read its answer.
It lies in a folder in memory that all workers share; without one each worker keeps its own. Nothing is persisted.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEEP_S = 300.0
SWEEP_S = 30.0
MOST = 20_000
MOST_OWN = 500
_NONCE = bytes(12)  # each key enciphers one answer only


class RetryCache:
    """Answers of the last minutes; lives as long as its worker, its folder as long as the start."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._path = f"{folder}/"
        self._own: dict[str, tuple[float, bytes]] = {}
        self._swept_at = time.monotonic()
        if folder is not None:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def find(self, request: Request) -> bytes | None:
        """The answer given before to this very request of this tenant; None if there was none in the last minutes."""
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
            return AESGCM(request.key).decrypt(_NONCE, os.read(file, state.st_size), None)
        except InvalidTag:
            return None  # another worker is still writing it
        finally:
            os.close(file)

    def keep(self, request: Request, answer: bytes) -> None:
        """Keep an answer for a retry."""
        if self._folder is None:
            if len(self._own) >= MOST_OWN:
                self._own.clear()
            self._own[request.name] = (time.time(), answer)
            return
        self._sweep(self._folder)
        sealed = AESGCM(request.key).encrypt(_NONCE, answer, None)
        with contextlib.suppress(OSError):  # a full folder costs a retry its sameness, never an answer
            file = os.open(self._path + request.name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                os.write(file, sealed)
            finally:
                os.close(file)

    def _sweep(self, folder: Path) -> None:
        if time.monotonic() - self._swept_at < SWEEP_S:
            return
        self._swept_at = time.monotonic()
        now = time.time()
        with os.scandir(folder) as entries:
            kept = [(entry.stat().st_mtime, entry.path) for entry in entries if entry.is_file()]
        kept.sort(reverse=True)
        for number, (written_at, path) in enumerate(kept):
            if number >= MOST or now - written_at > KEEP_S:
                Path(path).unlink(missing_ok=True)


class Request:
    """What makes a request the same as another: its tenant and its bytes (the hookInstance is among them)."""

    __slots__ = ("key", "name")

    def __init__(self, tenant_id: str, body: bytes) -> None:
        same = tenant_id.encode() + b"\x00" + hashlib.sha256(body).digest()
        self.name = hashlib.sha256(b"name\x00" + same).hexdigest()
        self.key = hashlib.sha256(b"key\x00" + same).digest()
