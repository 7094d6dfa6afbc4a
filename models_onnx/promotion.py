"""Which version of a model is told: promoting and retiring are edits of registry.yaml, made whole or not at all."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Literal

import msgspec

from models_onnx.model_card import ModelError
from models_onnx.registry import Entry, State, load, read_entries


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change of a model's state, as an event to record."""

    action: Literal["promote", "retire"]
    model: str
    version: str
    before: State
    after: State


def promote(directory: Path, model: str, version: str) -> tuple[Change, ...]:
    """Make a version the champion and the former champion of that model a challenger; returns what changed.

    Raises ModelError if there is no such version, or if the models would not load; then nothing changes.
    """
    return _change(directory, model, version, action="promote")


def retire(directory: Path, model: str, version: str) -> tuple[Change, ...]:
    """Stop scoring a version; its folder stays for rollback. Raises ModelError as `promote` does."""
    return _change(directory, model, version, action="retire")


def _change(directory: Path, model: str, version: str, *, action: Literal["promote", "retire"]) -> tuple[Change, ...]:
    path = directory / "registry.yaml"
    entries = read_entries(path)
    if not any((entry.model, entry.version) == (model, version) for entry in entries):
        raise ModelError(f"{model} {version}: registry.yaml does not name it")
    changes = [
        Change(action=action, model=entry.model, version=entry.version, before=entry.state, after=after)
        for entry in entries
        if (after := _after(entry, model, version, action)) != entry.state
    ]
    before = path.read_text(encoding="utf-8")
    _replace(path, _edited(before, changes))
    try:
        load(directory)
    except ModelError:
        _replace(path, before)
        raise
    return tuple(changes)


def _after(entry: Entry, model: str, version: str, action: str) -> State:
    if entry.model == model and entry.version == version:
        return "champion" if action == "promote" else "retired"
    if entry.model == model and action == "promote" and entry.state == "champion":
        return "challenger"
    return entry.state


def _edited(text: str, changes: list[Change]) -> str:
    """The file with the changed states; comments and order stay."""
    for change in changes:
        line = rf"(model: {re.escape(change.model)}, version: {re.escape(change.version)}, state: )\w+"
        text, count = re.subn(line, rf"\g<1>{change.after}", text)
        if count != 1:
            raise ModelError(f"{change.model} {change.version}: its line in registry.yaml is not in the usual form")
    return text


def _replace(path: Path, text: str) -> None:
    """Write beside the file and rename, so that no reader meets half of it."""
    beside = path.with_suffix(".new")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)  # noqa: PTH105 (atomic, and says so)
