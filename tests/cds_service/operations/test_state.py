"""What the workers of one machine share."""

from __future__ import annotations

from pathlib import Path

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
