"""What tells of patients is for its owner alone, from its creation and whatever the umask."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from cds_service.trust import private_files


@pytest.fixture(autouse=True)
def _usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_is_its_owners_before_anything_is_written(tmp_path: Path) -> None:
    with private_files.text(tmp_path / "new") as file:
        assert [mode(path) for path in tmp_path.iterdir()] == [0o600]
        file.write("chart\n")
    assert mode(tmp_path / "new") == 0o600
    private_files.write_lines(tmp_path / "lines", [b"a\n"])
    private_files.write_lines(tmp_path / "lines", [b"b\n"], after=True)
    assert (tmp_path / "lines").read_bytes() == b"a\nb\n"
    assert mode(tmp_path / "lines") == 0o600


def test_a_file_that_all_could_read_is_closed_to_them(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"before")
    private_files.write(tmp_path / "old", b"after")
    assert mode(tmp_path / "old") == 0o600
    assert (tmp_path / "old").read_bytes() == b"after"


def test_a_text_is_there_whole_or_as_it_was(tmp_path: Path) -> None:
    """Whoever is killed, or has no room left, leaves no half of it: half a file of outcomes could be imported."""
    (tmp_path / "out.csv").write_text("before\n", encoding="utf-8")

    def half() -> None:
        with private_files.text(tmp_path / "out.csv") as file:
            file.write("one line\n" * 10_000)
            file.flush()
            assert (tmp_path / "out.csv").read_text(encoding="utf-8") == "before\n"
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        half()
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]
    assert (tmp_path / "out.csv").read_text(encoding="utf-8") == "before\n"
    with private_files.text(tmp_path / "out.csv") as file:
        file.write("after\n")
    assert (tmp_path / "out.csv").read_text(encoding="utf-8") == "after\n"
    assert mode(tmp_path / "out.csv") == 0o600


def test_a_text_behind_a_link_or_in_no_file_stays_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out.csv").symlink_to(tmp_path / "elsewhere" / "real.csv")
    with private_files.text(tmp_path / "out.csv") as file:
        file.write("after\n")
    assert (tmp_path / "out.csv").is_symlink()
    assert (tmp_path / "elsewhere" / "real.csv").read_text(encoding="utf-8") == "after\n"
    with private_files.text(Path(os.devnull)) as file:
        file.write("x")
    assert not Path(os.devnull).is_file()


def test_what_is_no_file_is_written_and_left_as_it_is() -> None:
    before = mode(Path(os.devnull))
    private_files.write(Path(os.devnull), b"x")
    assert mode(Path(os.devnull)) == before


def test_a_folder_is_its_owners_also_where_it_is_there_and_never_where_many_share_it(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o1777)
    for name in ("there", "new", "shared"):
        private_files.folder(tmp_path / name)
    assert [mode(tmp_path / name) for name in ("there", "new", "shared")] == [0o700, 0o700, 0o1777]
