"""Files and folders that their owner alone may read, from the moment they are there, whatever the umask."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

_MODE, _FOLDER_MODE = 0o600, 0o700


def opener(path: str, flags: int) -> int:
    """For `open`: a new file is made for its owner alone; one that is there becomes so before anything is written."""
    opened = os.open(path, flags, _MODE)
    try:
        if stat.S_ISREG(os.fstat(opened).st_mode):
            os.fchmod(opened, _MODE)
    except BaseException:
        os.close(opened)
        raise
    return opened


@contextmanager
def text(path: Path) -> Iterator[TextIO]:
    """A file of text to write anew, its line ends as they are given; it is there whole, or as it was before."""
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():  # a terminal, a pipe
        with open(path, "w", encoding="utf-8", newline="", opener=opener) as file:
            yield file
        return
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(beside, "w", encoding="utf-8", newline="", opener=opener) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def write(path: Path, content: bytes) -> None:
    """The whole file."""
    with open(path, "wb", opener=opener) as file:
        file.write(content)


def write_lines(path: Path, lines: list[bytes], *, after: bool = False) -> None:
    """The lines as they are; `after`: what the file holds."""
    with open(path, "ab" if after else "wb", opener=opener) as file:
        file.writelines(lines)


def folder(path: Path) -> None:
    """The folder, also where it is there already and ours; one that many share on purpose (/tmp) stays as it is."""
    path.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    state = path.stat()
    if state.st_uid == os.geteuid() and not state.st_mode & stat.S_ISVTX:
        path.chmod(_FOLDER_MODE)
