"""What was sealed is read by who has the key, for the purpose and the time it was sealed for, and by nobody else."""

from __future__ import annotations

import time

import msgspec
import pytest

from cds_service.trust.seal import Seal

SEAL = Seal(b"key")


class Note(msgspec.Struct, frozen=True):
    patient: str


def test_a_note_comes_back_as_it_was_closed() -> None:
    assert SEAL.open("sign-in", SEAL.close("sign-in", Note("p1")), Note, seconds=60) == Note("p1")


def test_a_sealed_note_tells_nothing() -> None:
    assert "canary-patient" not in SEAL.close("sign-in", Note("canary-patient"))


@pytest.mark.parametrize("sealed", ["", "no-note", "gAAAAA", "ä", "a" * 5000])
def test_what_was_not_sealed_here_is_nothing(sealed: str) -> None:
    assert SEAL.open("sign-in", sealed, Note, seconds=60) is None


def test_one_character_changed_makes_it_nothing() -> None:
    sealed = SEAL.close("sign-in", Note("p1"))
    changed = sealed[:30] + ("A" if sealed[30] != "A" else "B") + sealed[31:]
    assert SEAL.open("sign-in", changed, Note, seconds=60) is None


def test_another_key_another_purpose_and_another_shape_open_nothing() -> None:
    sealed = SEAL.close("sign-in", Note("p1"))
    assert Seal(b"other").open("sign-in", sealed, Note, seconds=60) is None
    assert SEAL.open("page", sealed, Note, seconds=60) is None
    assert SEAL.open("sign-in", sealed, int, seconds=60) is None


def test_after_its_time_it_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = SEAL.close("sign-in", Note("p1"))
    later = time.time() + 61
    monkeypatch.setattr("cryptography.fernet.time.time", lambda: later)
    assert SEAL.open("sign-in", sealed, Note, seconds=60) is None


def test_a_key_is_changed_without_closing_anybody_out() -> None:
    old, both, new = Seal(b"old"), Seal(b"new", b"old"), Seal(b"new")
    before = old.close("sign-in", Note("p1"))
    assert both.open("sign-in", before, Note, seconds=60) == Note("p1")
    after = both.close("sign-in", Note("p1"))
    assert new.open("sign-in", after, Note, seconds=60) == Note("p1")
    assert new.open("sign-in", before, Note, seconds=60) is None
    assert old.open("sign-in", after, Note, seconds=60) is None


def test_a_node_that_seals_by_the_old_key_still_opens_what_one_with_the_new_sealed() -> None:
    assert Seal(b"old", b"new").open("sign-in", Seal(b"new", b"old").close("sign-in", Note("p")), Note, seconds=60)
