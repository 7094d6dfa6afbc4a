"""What hundreds of tests begin with is made once in a process: the shipped models, and the tables of a new SQLite file.

Reading and verifying the models and running every migration was half of the time of the tests that open a service. The
real things are tried by those who ask for the fixture `made_anew`, by all who give a folder of models, a file with
tables or another revision, and by every service that is a process of its own.
"""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from cds_service.records import migrate
from models_onnx import registry
from models_onnx.registry import Registry

REAL_LOAD, REAL_UPGRADE = registry.load, migrate.upgrade


@contextlib.contextmanager
def made_once() -> Iterator[None]:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "load", _load)
        patch.setattr(migrate, "upgrade", _upgrade(Path(folder) / "migrated.sqlite3"))
        yield


@contextlib.contextmanager
def made_anew() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "load", REAL_LOAD)
        patch.setattr(migrate, "upgrade", REAL_UPGRADE)
        yield


@cache
def _shipped(class_b: bool) -> Registry:
    return REAL_LOAD(class_b=class_b)


def _load(directory: Path = registry.PACKAGE, *, class_b: bool = False, entries: Any = None) -> Registry:
    if directory == registry.PACKAGE and entries is None:
        return _shipped(class_b)
    return REAL_LOAD(directory, class_b=class_b, entries=entries)


def _upgrade(migrated: Path) -> Callable[..., None]:
    def upgrade(url: str, revision: str = "head") -> None:
        if revision != "head" or (path := _without_tables(url)) is None:
            REAL_UPGRADE(url, revision)
            return
        if not migrated.exists():
            REAL_UPGRADE(f"sqlite:///{migrated}")
        with contextlib.closing(sqlite3.connect(migrated)) as made, contextlib.closing(sqlite3.connect(path)) as new:
            made.backup(new)

    return upgrade


def _without_tables(url: str) -> Path | None:
    """The SQLite file of this address, where it is new and its folder is there; else None."""
    try:
        parts = make_url(url)
    except ArgumentError:
        return None
    if parts.drivername != "sqlite" or not parts.database or parts.query or parts.database == ":memory:":
        return None
    path = Path(parts.database)
    if not path.parent.is_dir() or (path.exists() and not path.is_file()):
        return None
    try:
        with contextlib.closing(sqlite3.connect(path)) as there:
            return None if there.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] else path
    except sqlite3.Error:
        return None
