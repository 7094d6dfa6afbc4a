"""Programs that only the tests of a deployment need: in .build/tools, which `make tools` fills."""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

FOLDER = Path(__file__).resolve().parents[2] / ".build/tools/bin"


def program(name: str) -> str:
    """Where it is. AssertionError, which a skipped test would hide, where it is not."""
    own = FOLDER / name
    found = str(own) if own.exists() else None if name == "python" else shutil.which(name)
    assert found, f"no {name}: `make tools` fills {FOLDER}"
    return found


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that PostgreSQL may enter, which is another user; pytest's own are closed to it."""
    with tempfile.TemporaryDirectory(prefix="surgical-risk-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


def module(name: str, file: Path) -> ModuleType:
    """A script of deploy/ as a module."""
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec
    assert spec.loader
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made
