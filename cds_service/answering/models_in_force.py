"""The models that answers are given with, and their replacement while the service runs: verified first, then whole.

An answer takes `knowledge` once and keeps it to its end: no answer is half of one registry and half of another.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from cds_service.answer import Knowledge
from cds_service.answering import model_input_contract, model_signature
from cds_service.operations import logs, metrics
from cds_service.patient_data.fhir_client import FhirClient
from cds_service.records.database import DatabaseError
from models_onnx import registry
from models_onnx.added import shelf
from models_onnx.added_card import FILE, AddedCard
from models_onnx.added_model import AddedModels
from models_onnx.recalibration import BySha256
from models_onnx.registry import Registry

# Four `stat` calls of one thread; a promotion holds in every worker within this and the second of verifying.
CHECK_S = 2.0
# Models that were refused are tried again although registry.yaml stayed: their folder may have been half copied.
RETRY_S = 30.0
# An approved recalibration holds in every worker within this.
RECALIBRATIONS_S = 10.0


Read = Callable[[], Mapping[str, BySha256]]
Fits = Callable[[Mapping[str, AddedCard]], None]


class Status(msgspec.Struct, frozen=True):
    """Since when these models are in force, and why the ones now in the folder are not, if they are not."""

    since: datetime
    refused: str | None = None


def open_models(directory: Path | None, *, class_b: bool, key: Path | None = None) -> Registry:
    """The models, verified, and such as the mapping can serve; raises ModelError or ContractError naming the model.

    `key`: a public JWK, which has to have signed their manifest.
    """
    model_signature.check(directory or registry.PACKAGE, key)
    loaded = registry.load(directory or registry.PACKAGE, class_b=class_b)
    model_input_contract.check(loaded)
    return loaded


def open_added(directory: Path | None, models: Registry) -> AddedModels:
    """The site's own models, verified, beside those of the product; raises ModelError or ContractError."""
    added = shelf.load(directory)
    for name, one in added.by_name.items():
        path = directory / name / one.card.version / FILE if directory is not None else None
        model_input_contract.check_added(one.card, models, path)
    return added


class ModelsInForce:
    """What answers are given with. Made after the fork; raises ModelError or ContractError rather than half start."""

    def __init__(
        self,
        directory: Path | None,
        *,
        class_b: bool,
        fhir: FhirClient,
        added: Path | None = None,
        key: Path | None = None,
    ) -> None:
        self._directory = directory or registry.PACKAGE
        self._key = key
        self._added = added
        self._class_b = class_b
        self._seen = self._fingerprint()
        models = open_models(self._directory, class_b=class_b, key=key)
        self.knowledge = Knowledge(models, fhir, added=open_added(added, models))
        self.status = Status(datetime.now(UTC))
        self._retry_at = 0.0
        self._fits: Fits = _whatever
        self._read: Read = dict
        self._read_at = 0.0
        self._ended = threading.Event()

    @property
    def models(self) -> Registry:
        """The models in force at this moment; whoever needs them twice takes them once."""
        return self.knowledge.models

    def hold(self, fits: Fits) -> None:
        """Serve the site's own models, now and after a change, only as `fits` allows; it raises where they do not."""
        fits(_cards(self.knowledge.added))
        self._fits = fits

    def recalibrate(self, read: Read) -> None:
        """Take each hospital's recalibrations from here on from `read`; raises DatabaseError if it cannot be asked."""
        self._read = read
        self._take_recalibrations()

    def refresh_recalibrations(self) -> None:
        """Read them again; while the database is away, the last known hold."""
        try:
            self._take_recalibrations()
        except DatabaseError as error:
            logs.warn("recalibrations-unread", error=type(error).__name__)

    def _take_recalibrations(self) -> None:
        self._read_at = time.monotonic()
        self.knowledge = msgspec.structs.replace(self.knowledge, recalibrations=self._read())

    def watch(self) -> None:
        """Look for changes until `close`, in a thread of this worker."""
        threading.Thread(target=self._watch, name="models", daemon=True).start()

    def close(self) -> None:
        """Stop looking."""
        self._ended.set()

    def refresh(self) -> bool:
        """Look once; True where other models are in force now. What cannot be served changes nothing and is told."""
        seen = self._fingerprint()
        if seen == self._seen and not (self.status.refused and time.monotonic() >= self._retry_at):
            return False
        self._seen = seen
        try:
            loaded = open_models(self._directory, class_b=self._class_b, key=self._key)
            added = open_added(self._added, loaded)
            self._fits(_cards(added))
        except Exception as error:  # noqa: BLE001 — whatever is wrong with the new models, the old ones go on answering
            self._refuse(error)
            return False
        self._take(loaded, added)
        return True

    def _fingerprint(self) -> tuple[object, ...]:
        return (*registry.fingerprint(self._directory), shelf.fingerprint(self._added))

    def _take(self, loaded: Registry, added: AddedModels) -> None:
        before, self.knowledge = self.models, msgspec.structs.replace(self.knowledge, models=loaded, added=added)
        self.status = Status(datetime.now(UTC))
        metrics.model_loads.labels("loaded").inc()
        logs.note("models-loaded", models=_difference(before, loaded))

    def _refuse(self, error: Exception) -> None:
        told = f"{type(error).__name__}: {error}"
        if told != self.status.refused:
            logs.warn("models-refused", error=type(error).__name__, cause=_plain(str(error)))
        self.status = msgspec.structs.replace(self.status, refused=told)
        self._retry_at = time.monotonic() + RETRY_S
        metrics.model_loads.labels("refused").inc()

    def _watch(self) -> None:
        while not self._ended.wait(CHECK_S):
            self.refresh()
            if time.monotonic() - self._read_at >= RECALIBRATIONS_S:
                self.refresh_recalibrations()


def _cards(added: AddedModels) -> Mapping[str, AddedCard]:
    return {name: one.card for name, one in added.by_name.items()}


def _whatever(_: Mapping[str, AddedCard]) -> None:
    """Before the tenants are known."""


def models_state(in_force: ModelsInForce) -> dict[str, object]:
    """For /ready: which versions are told, which are scored in silence, and whether newer ones were refused."""
    models, status = in_force.models, in_force.status
    states = {f"{card.name} {card.version}": models.states[card.name, card.version] for card in models.cards}
    found: dict[str, object] = {
        "models": [name for name, state in states.items() if state == "champion"],
        "challengers": [name for name, state in states.items() if state == "challenger"],
        "added": [f"{name} {one.card.version}" for name, one in in_force.knowledge.added.by_name.items()],
        "modelsSince": status.since,
    }
    return found | ({"modelsRefused": status.refused} if status.refused else {})


def _difference(before: Registry, after: Registry) -> str:
    """Which versions changed their state, as words that may be logged: "rcri 1.0.0 champion - retired"."""
    names = {**before.states, **after.states}
    changed = [
        f"{name} {version} {before.states.get((name, version), 'absent')} - "
        f"{after.states.get((name, version), 'absent')}"
        for name, version in names
        if before.states.get((name, version)) != after.states.get((name, version))
    ]
    return " + ".join(changed)[:200].strip() or "the same versions"


def _plain(text: str) -> str:
    """A message of ours in the letters that a log line may hold."""
    return re.sub(r"[^A-Za-z0-9 ._:/@+-]+", " ", text)[:200]
