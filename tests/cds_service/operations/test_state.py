"""What the workers of one machine share."""

from __future__ import annotations

import fcntl
import os
import struct
import time
from pathlib import Path

import pytest

from cds_service.operations import state


def test_every_worker_reads_the_same_key(tmp_path: Path) -> None:
    first = state.key(tmp_path)
    assert (len(first), state.key(tmp_path)) == (32, first)
    assert [file.name for file in tmp_path.iterdir()] == ["key"]


def test_the_key_is_for_its_owner_alone(tmp_path: Path) -> None:
    state.key(tmp_path)
    assert (tmp_path / "key").stat().st_mode & 0o077 == 0


def test_another_machine_draws_another_key(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    assert state.key(one) != state.key(other)


def a_left_folder(parent: Path, name: str, *, lost: int = 0, hours_ago: float = 1) -> Path:
    """What a service that was killed leaves: a ledger of a process that is no more, answers, metrics, a key."""
    folder = parent / f"surgical-risk-{name}"
    for part in ("answers", "metrics", "ledgers"):
        (folder / part).mkdir(parents=True)
    (folder / "answers" / "one").write_bytes(b"x" * 9000)
    (folder / "key").write_bytes(b"k" * 32)
    (folder / "ledgers" / "999999-1-abcd.ledger").write_bytes(struct.pack("=QQ", 5, 5 - lost))
    then = time.time() - 3600 * hours_ago
    os.utime(folder, (then, then))
    return folder


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(state, "_MEMORY", tmp_path)
    return tmp_path


def test_what_dead_services_left_is_removed_but_not_the_count_of_what_they_lost(memory: Path) -> None:
    whole, lost = a_left_folder(memory, "a"), a_left_folder(memory, "b", lost=3)
    other = memory / "another-program"
    other.mkdir()
    assert state.sweep() == 2
    assert not whole.exists()
    assert [path.name for path in lost.rglob("*")] == ["ledgers", "999999-1-abcd.ledger"]
    assert other.exists()


def test_what_somebody_works_with_stays(memory: Path) -> None:
    young, held, working = (a_left_folder(memory, name) for name in ("young", "held", "working"))
    os.utime(young)
    (held / "lock").touch()
    started = Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
    (working / "ledgers" / f"{os.getpid()}-{started}-abcd.ledger").write_bytes(bytes(16))
    os.utime(held, (1, 1))
    with (held / "lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert state.sweep() == 0
    assert all((folder / "key").exists() for folder in (young, held, working))


def test_a_folder_is_held_by_one_start(tmp_path: Path) -> None:
    state.hold(tmp_path)
    with pytest.raises(state.InUseError, match="in use by another start"):
        state.hold(tmp_path, wait_s=0.0)


def test_where_no_key_can_be_written_all_workers_take_the_one_drawn_before_they_were_forked(tmp_path: Path) -> None:
    assert len(state.key(tmp_path / "absent")) == 32
    assert state.key(tmp_path / "absent") == state.key(tmp_path / "absent")


def test_a_full_directory_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert state.trouble(tmp_path) is None
    monkeypatch.setattr(state, "free_bytes", lambda _: 1000)
    assert "full" in (state.trouble(tmp_path) or "")
    assert "cannot be written" in (state.trouble(tmp_path / "absent") or "")
