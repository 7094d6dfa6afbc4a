"""Short notes that only this deployment can read, and that end by themselves: sign-ins under way, open pages."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from typing import Any, TypeVar

import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

T = TypeVar("T")


class Seal:
    """Closes a note for one purpose and opens it again within its time; what it closes tells nobody anything."""

    __slots__ = ("_box",)

    def __init__(self, key: bytes, *others: bytes) -> None:
        """`key`: secret, the same in every process that has to open what another closed; `others` open too."""
        self._box = MultiFernet([Fernet(urlsafe_b64encode(hashlib.sha256(one).digest())) for one in (key, *others)])

    def close(self, purpose: str, note: Any) -> str:
        """The note, enciphered and signed, in characters that a URL and a cookie can hold."""
        return self._box.encrypt(purpose.encode() + b"\x00" + msgspec.json.encode(note)).decode()

    def open(self, purpose: str, sealed: str, shape: type[T], *, seconds: int) -> T | None:
        """The note; None where it is not ours, was closed for something else, or longer ago than `seconds`."""
        try:
            named, _, body = self._box.decrypt(sealed.encode("ascii", "replace"), ttl=seconds).partition(b"\x00")
            return msgspec.json.decode(body, type=shape) if named == purpose.encode() else None
        except (InvalidToken, msgspec.DecodeError):
            return None
