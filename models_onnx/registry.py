"""Which models are served, verified before the first answer: hashes, names, inputs and golden scores."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from models_onnx import data_files, golden_scores, inexact_inputs, manifest, model_card, open_inputs, peers, preference
from models_onnx.data_files import DataFileError
from models_onnx.encoding import Encoding, InputError, plausible_values, union
from models_onnx.inexact_inputs import Within
from models_onnx.input_effects import Effects
from models_onnx.model import Model, NonFiniteScoreError, Places
from models_onnx.model_card import ModelCard, ModelError, ModelInput
from models_onnx.open_inputs import NOTHING_OPEN, Open
from models_onnx.peers import Peer
from models_onnx.preference import Entry, State
from models_onnx.score import InputValue, Score
from models_onnx.sessions import open_session

__all__ = ["InputError", "ModelCard", "ModelError", "ModelInput", "NonFiniteScoreError", "Peer", "Registry", "load"]

PACKAGE = Path(__file__).parent
OUTPUT = ["numbers"]


class Member(msgspec.Struct, frozen=True):
    """A model of the stacked graph, with the sha256 of the single graph that it equals, and where its numbers lie."""

    model: str
    version: str
    sha256: str
    places: Places


class Manifest(msgspec.Struct, frozen=True):
    """stacked.json: the sha256 of stacked.onnx, its columns, and its models in their order."""

    sha256: str
    feature_order: tuple[str, ...]
    members: tuple[Member, ...]


class Registry:
    """The models of one service, in the order in which each outcome prefers them (DEC-36). Immutable, thread-safe.

    `cards` are those of the models that answer: champions and challengers; `states` tells which is which, by
    model and version; `preferred` names by outcome the models of which the first that answers is told; `digest`
    changes with anything that an answer rests on. To change the models, load another registry and put it in this
    one's place (models_in_force). `prepared`: by name the models that no answer runs (after_operation.py).
    """

    def __init__(
        self,
        session: onnxruntime.InferenceSession,
        encoding: Encoding,
        models: Sequence[Model],
        *,
        states: Mapping[tuple[str, str], State],
        preferred: Mapping[str, tuple[str, ...]],
        peer_figures: Mapping[tuple[str, str], Peer],
        directory: Path = PACKAGE,
        digest: str = "",
    ) -> None:
        self._session = session
        self.models = tuple(models)
        self._peers = peer_figures
        self.encoding = encoding
        self.inputs: tuple[ModelInput, ...] = encoding.inputs
        self.cards: tuple[ModelCard, ...] = tuple(model.card for model in models)
        self.plausible = plausible_values(self.cards)
        self.effects = Effects(self)
        self._ranged_inputs = frozenset(
            entry.name for card in self.cards if card.kind == "probability" for entry in card.inputs
        )
        self.states = dict(states)
        self.preferred = dict(preferred)
        self.directory = directory
        self.digest = digest
        self.prepared: Mapping[str, Model] = {}
        self._inputs_of: dict[tuple[tuple[str, str], ...], tuple[str, ...]] = {}
        self._challengers = {
            card.sha256 for card in self.cards if self.states.get((card.name, card.version)) == "challenger"
        }

    def score(
        self,
        values: Mapping[str, InputValue | None],
        limits: Mapping[str, Within] | None = None,
        opened: Open = NOTHING_OPEN,
    ) -> tuple[Score, ...]:
        """Every model's answer, in the order of `cards`, from one run of one graph.

        `values` by feature name, None or absent where missing; `limits` for those that are not exactly known
        (inexact_inputs.py); `opened` for those that rest on lists not all understood (open_inputs.py). Nothing is
        defaulted: a model that cannot do without a missing input says so in `needs`. Raises InputError for a value of
        the wrong kind, and NonFiniteScoreError rather than return a number that is none.
        """
        if opened.possible:
            by = open_inputs.spans(self, values, opened)
            scores = self.score(opened.first(values), limits)
            return tuple(
                open_inputs.ranged(model, one, by.get((one.model, one.version)))
                for model, one in zip(self.models, scores, strict=True)
            )
        if limits:
            return inexact_inputs.score(self, values, limits)
        row, present = self.encoding.row(values)
        numbers = self.run(np.array([row]))[0]
        return tuple([model.score(values, present, numbers) for model in self.models])

    def champions(self, scores: tuple[Score, ...]) -> tuple[Score, ...]:
        """Those of the champions: what challengers say is recorded beside them, and never told (DEC-36)."""
        if not self._challengers:
            return scores
        return tuple([score for score in scores if score.sha256 not in self._challengers])

    def challengers(self, scores: tuple[Score, ...]) -> tuple[Score, ...]:
        """Those of the challengers, for the record alone."""
        return tuple([score for score in scores if score.sha256 in self._challengers]) if self._challengers else ()

    def may_range_over(self, names: Iterable[str]) -> bool:
        """Whether a model that tells a probability has one of these inputs: only these have a missing range."""
        return not self._ranged_inputs.isdisjoint(names)

    def inputs_of(self, versions: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
        """The inputs of these models, by name and version, each once; remembered, as nearly all cards tell the same."""
        known = self._inputs_of.get(versions)
        if known is None:
            names = (entry.name for one in versions for entry in self.card(*one).inputs)
            known = self._inputs_of[versions] = tuple(dict.fromkeys(names))
        return known

    def run(self, rows: NDArray[np.float64]) -> list[list[float]]:
        """The graph's numbers for each row, columns as `encoding.names`; NaN where a model cannot answer."""
        numbers: list[list[float]] = self._session.run(OUTPUT, {"X": rows})[0].tolist()
        return numbers

    def card(self, model: str, version: str | None = None) -> ModelCard:
        """The card of a model that answers; raises ModelError if there is none."""
        for card in self.cards:
            if card.name == model and version in (None, card.version):
                return card
        raise ModelError(f"{model}: no such model is served")

    def peer(self, outcome: str, procedure_group: str) -> Peer | None:
        """How often `outcome` happened after the same operation; None below 10 events or if never counted."""
        return self._peers.get((outcome, procedure_group))


def load(directory: Path = PACKAGE, *, class_b: bool = False, entries: Sequence[Entry] | None = None) -> Registry:
    """The models in `directory`, verified; creates onnxruntime sessions, so call it after the fork.

    `class_b` also serves models whose coefficients rest on one public source; `entries` stand in the place of
    registry.yaml, to try a change before it is made. Raises ModelError naming the model and what is wrong:
    hash, name, inputs, golden scores, a folder that no entry names, or a file that is not as manifest.json lists it.
    """
    stack = _read_json(directory / "stacked.json", Manifest)
    entries = read_entries(directory / "registry.yaml") if entries is None else entries
    folders = {(card.name, card.version): (folder, card) for folder, card in _folders(directory)}
    _agree(stack, entries, folders)
    preferred = preference.of(entries, {version: card for version, (_, card) in folders.items()})
    graph = _bytes(directory / "stacked.onnx", stack.sha256, "stacked.onnx")
    members = [folders[member.model, member.version] for member in stack.members]
    encoding = union([card for _, card in members], stack.feature_order)
    session = open_session(graph)
    models = {
        (card.name, card.version): Model(card, encoding, _places(card, member))
        for (_, card), member in zip(members, stack.members, strict=True)
    }
    everything = Registry(session, encoding, list(models.values()), states={}, preferred={}, peer_figures={})
    for folder, card in members:
        golden_scores.verify(folder, card, everything)
    served = [
        models[entry.model, entry.version]
        for entry in entries
        if entry.state in ("champion", "challenger")
        and (class_b or models[entry.model, entry.version].card.trust != "B")
    ]
    states = {(entry.model, entry.version): entry.state for entry in entries}
    figures = peers.read_peers(directory / "peers.yaml")
    manifest.verify(directory)
    digest = _digest(stack, entries, [model.card for model in served], figures)
    registry = Registry(
        session,
        encoding,
        served,
        states=states,
        preferred=preferred,
        peer_figures=figures,
        directory=directory,
        digest=digest,
    )
    prepared = (entry for entry in entries if entry.state == "prepared")
    registry.prepared = {entry.model: models[entry.model, entry.version] for entry in prepared}
    return registry


def _digest(stack: Manifest, entries: Sequence[Entry], served: Sequence[ModelCard], figures: Mapping[Any, Peer]) -> str:
    told = (stack, tuple(entries), tuple(served), tuple(figures.values()))
    return hashlib.sha256(repr(told).encode()).hexdigest()


def cards(directory: Path = PACKAGE) -> tuple[ModelCard, ...]:
    """The card of every version that has a folder, whatever its state; raises ModelError if one is not as exported."""
    return tuple(card for _, card in _folders(directory))


def _places(card: ModelCard, member: Member) -> Places:
    if (member.places.standard_error is not None) != (card.trust == "fitted"):
        raise ModelError("stacked.onnx: it has another number of intervals than there are fitted models")
    if len(member.places.contributions) != len(card.inputs):
        raise ModelError(f"{card.name} {card.version}: stacked.onnx explains another number of inputs")
    return member.places


def _folders(directory: Path) -> list[tuple[Path, ModelCard]]:
    found = []
    for path in sorted(directory.glob("*/*/*/card.yaml")):
        card = model_card.read_card(path)
        if path.parent.parts[-3:] != (card.outcome, card.name, card.version):
            raise ModelError(f"{card.name} {card.version}: its card lies in {'/'.join(path.parent.parts[-3:])}")
        _bytes(path.with_name("model.onnx"), card.sha256, f"{card.name} {card.version}")
        found.append((path.parent, card))
    return found


def _agree(
    stack: Manifest, entries: Sequence[Entry], folders: Mapping[tuple[str, str], tuple[Path, ModelCard]]
) -> None:
    """Raise ModelError unless folders, stacked graph and registry.yaml name the same models, by hash."""
    stacked = {(member.model, member.version): member.sha256 for member in stack.members}
    entered = [(entry.model, entry.version) for entry in entries]
    for name, version in sorted({*stacked, *entered, *folders}):
        if (name, version) not in folders:
            raise ModelError(f"{name} {version}: it has no folder")
        if (name, version) not in stacked or stacked[name, version] != folders[name, version][1].sha256:
            raise ModelError(f"{name} {version}: stacked.onnx was not made from this graph; export again")
        if entered.count((name, version)) != 1:
            raise ModelError(f"{name} {version}: registry.yaml must name it once")


def _bytes(path: Path, sha256: str, what: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{what}: {path.name} cannot be read") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ModelError(f"{what}: {path.name} is not the file that was exported (sha256 differs)")
    return content


def _read_json(path: Path, kind: type[Manifest]) -> Manifest:
    try:
        return data_files.read_json(path, kind)
    except (OSError, DataFileError) as error:
        raise ModelError(f"{path.name} cannot be read: {data_files.why(error)}") from error


def fingerprint(directory: Path) -> tuple[tuple[int, int, int] | None, ...]:
    """What changes when the models in `directory` do: inode, length and time of each file that names the others."""
    return tuple(
        _stamp(directory / name)
        for name in ("registry.yaml", "stacked.json", "stacked.onnx", "peers.yaml", manifest.NAME)
    )


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def read_entries(path: Path) -> tuple[Entry, ...]:
    """The lines of registry.yaml, in the order of preference; raises ModelError if it cannot be read."""
    try:
        return data_files.read_yaml(path, tuple[Entry, ...])
    except (OSError, DataFileError) as error:
        raise ModelError(f"{path.name} cannot be read: {data_files.why(error)}") from error
