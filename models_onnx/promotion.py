"""Which version of a model is told: promoting and retiring are edits of registry.yaml, made whole or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from models_onnx.model_card import ModelError
from models_onnx.preference import Entry, State
from models_onnx.registry import Registry, load, read_entries

Action = Literal["promote", "retire"]
Changes = tuple["StateChange", ...]


class StateChange(msgspec.Struct, frozen=True, kw_only=True):
    """One change of a model's state, as an event to record."""

    action: Action
    model: str
    version: str
    before: State
    after: State


class Gate(msgspec.Struct, frozen=True):
    """What stands between a change and the file.

    `accept` is given the models as they would be, and raises where the service could not serve them. `record` is
    given the changes; where it raises, nothing changes: a change that nobody could account for is not made.
    """

    accept: Callable[[Registry], None] = lambda _: None
    record: Callable[[Changes], None] = lambda _: None


OPEN = Gate()


def promote(
    directory: Path,
    model: str,
    version: str,
    *,
    to: Literal["champion", "challenger"] = "champion",
    gate: Gate = OPEN,
) -> Changes:
    """Make a version the champion, and the former champion of that model a challenger; returns what changed.

    Or make it a challenger, which is scored and recorded and never told. Raises ModelError if there is no such
    version, if it is that already, or if the models would not load; then nothing changes.
    """
    return _change(directory, (model, version), "promote", to, gate)


def retire(directory: Path, model: str, version: str, *, gate: Gate = OPEN) -> Changes:
    """Stop scoring a version; its folder stays for rollback. Raises ModelError as `promote` does."""
    return _change(directory, (model, version), "retire", "retired", gate)


def _change(directory: Path, which: tuple[str, str], action: Action, state: State, gate: Gate) -> Changes:
    path = directory / "registry.yaml"
    with _alone(directory):
        entries = read_entries(path)
        changes = _changes(entries, which, action, state)
        after = {(change.model, change.version): change.after for change in changes}
        tried = [
            msgspec.structs.replace(entry, state=after.get((entry.model, entry.version), entry.state))
            for entry in entries
        ]
        gate.accept(load(directory, class_b=True, entries=tried))
        with _beside(path, _edited(path.read_text(encoding="utf-8"), changes)):
            gate.record(changes)
    return changes


def _changes(entries: Sequence[Entry], which: tuple[str, str], action: Action, state: State) -> Changes:
    named = {(entry.model, entry.version): entry for entry in entries}
    if which not in named:
        raise ModelError(f"{which[0]} {which[1]}: registry.yaml does not name it")
    if named[which].state == state:
        raise ModelError(f"{which[0]} {which[1]}: it is {state} already")
    return tuple(
        StateChange(action=action, model=entry.model, version=entry.version, before=entry.state, after=after)
        for entry in entries
        if (after := _after(entry, which, state)) != entry.state
    )


def _after(entry: Entry, which: tuple[str, str], state: State) -> State:
    if (entry.model, entry.version) == which:
        return state
    if entry.model == which[0] and state == "champion" and entry.state == "champion":
        return "challenger"
    return entry.state


def _edited(text: str, changes: Changes) -> str:
    """The file with the changed states; comments and order stay."""
    for change in changes:
        line = rf"(model: {re.escape(change.model)}, version: {re.escape(change.version)}, state: )\w+"
        text, count = re.subn(line, rf"\g<1>{change.after}", text)
        if count != 1:
            raise ModelError(f"{change.model} {change.version}: its line in registry.yaml is not in the usual form")
    return text


@contextlib.contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Two people who promote at once do so one after the other."""
    try:
        handle = os.open(directory, os.O_RDONLY)
    except OSError as error:
        raise ModelError(f"{directory}: cannot be read") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def _beside(path: Path, text: str) -> Iterator[None]:
    """Write beside the file, and put it in its place only if the block raises nothing: no reader meets half of it."""
    beside = path.with_suffix(".new")
    try:
        with beside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        shutil.copymode(path, beside)
        yield
        os.replace(beside, path)  # noqa: PTH105 (atomic, and says so)
    except OSError as error:
        raise ModelError(f"{path} cannot be written") from error
    finally:
        beside.unlink(missing_ok=True)
