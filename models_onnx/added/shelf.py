"""A site's folder of added models: what is in force, what was before it, and every file with its sha256.

    manifest.json
    NAME/VERSION/model.yaml, model.onnx, golden_scores.json, and the validation report where there is one

Nothing is opened that manifest.json does not list; a change is made whole or not at all.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from models_onnx import added_card, data_files
from models_onnx.added import allowed_graph, apart, trial
from models_onnx.added.probe import Trial
from models_onnx.added_card import FILE, GRAPH, AddedCard
from models_onnx.added_graph import AddedGraph
from models_onnx.added_model import NO_ADDED_MODELS, AddedModel, AddedModels
from models_onnx.data_files import DataFileError
from models_onnx.model_card import ModelError

MANIFEST = "manifest.json"
MOST_MODELS = 20
_MOST_REPORT = 32 * 1024 * 1024


class Shelved(msgspec.Struct, frozen=True):
    """Of one model the version in force, and those that were before it, the latest last."""

    in_force: str
    before: tuple[str, ...] = ()


class Shelf(msgspec.Struct, frozen=True):
    """manifest.json."""

    models: dict[str, Shelved] = {}
    files: dict[str, str] = {}


class AddedGate(msgspec.Struct, frozen=True):
    """What stands between a change and the folder: `accept` raises where the service could not serve the model,
    `record` where nobody could account for the change, which is given as words: "none -> 1.0.0".
    """

    accept: Callable[[AddedCard], None]
    record: Callable[[str, str], None]


def is_listed(directory: Path) -> Shelf:
    """The manifest; an empty folder holds no model. Raises ModelError for one that is absent or holds other things."""
    path = directory / MANIFEST
    try:
        there = {one.name for one in directory.iterdir() if not one.name.startswith(".")}
    except OSError as error:
        raise ModelError(f"{directory}: there is no such folder of models, or it cannot be read") from error
    if not there:
        return Shelf()
    if MANIFEST not in there:
        raise ModelError(f"{directory}: is no folder of models that were added: it holds no {MANIFEST}")
    try:
        shelf = data_files.read_json(path, Shelf)
    except (OSError, msgspec.DecodeError, DataFileError) as error:
        raise ModelError(f"{path}: cannot be read: {error}") from error
    named = [(name, version) for name, one in shelf.models.items() for version in (one.in_force, *one.before)]
    if not all(added_card.is_name(*one) for one in named):
        raise ModelError(f"{path}: names what is no model")
    return shelf


def fingerprint(directory: Path | None) -> tuple[int, int, int] | None:
    """What changes when the models in force do."""
    try:
        found = (directory / MANIFEST).stat() if directory is not None else None
    except OSError:
        return None
    return None if found is None else (found.st_ino, found.st_size, found.st_mtime_ns)


def load(directory: Path | None) -> AddedModels:
    """The models in force, every file verified and every golden score replayed; call it after the fork.

    Raises ModelError naming the model and what is wrong: nothing is served of a folder that is not as it was made.
    """
    if directory is None:
        return NO_ADDED_MODELS
    shelf = is_listed(directory)
    _verify(directory, shelf)
    models = {name: _opened(directory / name / one.in_force) for name, one in shelf.models.items()}
    for name, model in models.items():
        if (model.card.name, model.card.version) != (name, shelf.models[name].in_force):
            raise ModelError(f"{name}: {FILE} is that of {model.card.name} {model.card.version}")
        trial.verify(directory / name / model.card.version, model)
    return AddedModels(models, hashlib.sha256(repr(shelf).encode()).hexdigest() if models else "")


def cards(directory: Path) -> dict[str, AddedCard]:
    """The card of each model in force, by name; opens no graph."""
    return {
        name: added_card.read_card(directory / name / one.in_force) for name, one in is_listed(directory).models.items()
    }


def add(directory: Path, folder: Path, gate: AddedGate) -> tuple[AddedCard, Trial]:
    """Try the model in `folder`, and put it in force; an earlier version is kept. Raises ModelError."""
    card = added_card.read_card(folder)
    gate.accept(card)
    _made(directory)
    with _alone(directory):
        shelf = is_listed(directory)
        _verify(directory, shelf, unfinished=f"{card.name}/{card.version}")
        earlier = shelf.models.get(card.name)
        if earlier is not None and card.version in (earlier.in_force, *earlier.before):
            raise ModelError(f"{card.name} {card.version}: it is there already; give it another version")
        if earlier is None and len(shelf.models) >= MOST_MODELS:
            raise ModelError(f"{directory}: holds {MOST_MODELS} models, the most that there may be")
        with _staged(directory, folder, card) as staged:
            found = apart.tried(staged)
            _written(staged / trial.FILE, msgspec.json.format(msgspec.json.encode(found.golden), indent=1) + b"\n")
            kept = () if earlier is None else (*earlier.before, earlier.in_force)
            models = shelf.models | {card.name: Shelved(card.version, kept)}
            gate.record(card.name, f"{earlier.in_force if earlier else 'none'} -> {card.version}")
            _put(staged, directory / card.name / card.version)
        _replace(directory, models)
    return card, found


def remove(directory: Path, name: str, gate: AddedGate) -> str:
    """Take every version of a model out of the folder, which then is as it was before; returns the version in force."""
    with _alone(directory):
        shelf = is_listed(directory)
        gone = _known(shelf, name)
        gate.record(name, f"{gone.in_force} -> none")
        _replace(directory, {other: one for other, one in shelf.models.items() if other != name})
        shutil.rmtree(directory / name, ignore_errors=True)
    return gone.in_force


def rollback(directory: Path, name: str, gate: AddedGate) -> tuple[str, str]:
    """Put the version before in force, verified, and drop the one that was; returns both, the dropped one first."""
    with _alone(directory):
        shelf = is_listed(directory)
        now = _known(shelf, name)
        _verify(directory, shelf, unfinished=f"{name}/{now.in_force}")
        if not now.before:
            raise ModelError(f"{name} {now.in_force}: there is no version before it; `models remove` takes it away")
        back = now.before[-1]
        trial.verify(directory / name / back, _opened(directory / name / back))
        gate.record(name, f"{now.in_force} -> {back}")
        _replace(directory, shelf.models | {name: Shelved(back, now.before[:-1])}, without=f"{name}/{now.in_force}")
        shutil.rmtree(directory / name / now.in_force, ignore_errors=True)
    return now.in_force, back


def _known(shelf: Shelf, name: str) -> Shelved:
    if name not in shelf.models:
        raise ModelError(f"{name}: no such model was added; there are {', '.join(sorted(shelf.models)) or 'none'}")
    return shelf.models[name]


def _opened(folder: Path) -> AddedModel:
    card = added_card.read_card(folder)
    content = (folder / GRAPH).read_bytes()
    allowed_graph.check(content)
    return AddedModel(card, AddedGraph(content, card), hashlib.sha256(content).hexdigest())


def _verify(directory: Path, shelf: Shelf, *, unfinished: str = "") -> None:
    """Raise ModelError naming a file that is not as it was added, but for those of `unfinished`, a version."""
    found = _files(directory)
    for name in sorted({*shelf.files, *found}):
        if shelf.files.get(name) != found.get(name) and not (unfinished and name.startswith(f"{unfinished}/")):
            what = "is missing" if name not in found else "was not added" if name not in shelf.files else "was changed"
            raise ModelError(f"{directory / name} {what} (sha256 in {MANIFEST}); add it by `cds-service models add`")


def _files(directory: Path) -> dict[str, str]:
    """The sha256 of each file of each version; what is being written lies in a folder that begins with a dot."""
    paths = [path for path in directory.glob("[!.]*/*/*") if path.is_file()]
    return {
        path.relative_to(directory).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(paths)
    }


def _replace(directory: Path, models: dict[str, Shelved], *, without: str = "") -> None:
    """manifest.json anew, in one step; none where no model is left."""
    path = directory / MANIFEST
    listed = {f"{name}/{version}" for name, one in models.items() for version in (one.in_force, *one.before)} - {
        without
    }
    files = {name: digest for name, digest in _files(directory).items() if name.rpartition("/")[0] in listed}
    if not models:
        path.unlink(missing_ok=True)
        return
    text = json.dumps(msgspec.to_builtins(Shelf(models, files)), indent=1, sort_keys=True) + "\n"
    beside = path.with_suffix(".new")
    _written(beside, text.encode())
    beside.replace(path)


@contextlib.contextmanager
def _staged(directory: Path, folder: Path, card: AddedCard) -> Iterator[Path]:
    """A copy of what belongs to the model, readable by its owner alone; gone afterwards unless it was put in place."""
    staged = directory / f".{card.name}-{card.version}"
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(mode=0o700)
    try:
        _written(staged / FILE, (folder / FILE).read_bytes())
        _written(staged / GRAPH, _bounded(folder / GRAPH, allowed_graph.MOST_BYTES))
        if card.validation is not None:
            report = _bounded(folder / card.validation.report, _MOST_REPORT)
            if hashlib.sha256(report).hexdigest() != card.validation.sha256:
                raise ModelError(f"validation: {card.validation.report} is another file than sha256 says")
            _written(staged / card.validation.report, report)
        yield staged
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _bounded(path: Path, most: int) -> bytes:
    try:
        if path.stat().st_size > most:
            raise ModelError(f"{path.name} has {path.stat().st_size:,} bytes; at most {most:,} are taken")
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read") from error


def _written(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _put(staged: Path, place: Path) -> None:
    place.parent.mkdir(mode=0o700, exist_ok=True)
    shutil.rmtree(place, ignore_errors=True)
    staged.rename(place)


def _made(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ModelError(f"{directory}: cannot be made") from error


@contextlib.contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Two people who change the folder at once do so one after the other."""
    try:
        handle = os.open(directory, os.O_RDONLY)
    except OSError as error:
        raise ModelError(f"{directory}: cannot be read") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    except OSError as error:
        raise ModelError(f"{directory}: cannot be written") from error
    finally:
        os.close(handle)
