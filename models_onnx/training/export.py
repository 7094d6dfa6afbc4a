"""From estimators to the folders that are served: graph, card and golden scores, refused where they disagree."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnxruntime
import yaml
from numpy.typing import NDArray

from models_onnx import data_files, manifest
from models_onnx.model_card import ModelCard, ModelError, PointsBand, Scope, ScopeLimit
from models_onnx.sessions import open_session
from models_onnx.training import golden
from models_onnx.training.curves import AdditiveModel, own_curve
from models_onnx.training.graph import places, single, stacked
from models_onnx.training.inputs import model_input

PARITY = 1e-6
CARDS = Path(__file__).with_name("cards")


@dataclass(frozen=True)
class Export:
    """What one model's folder is written from."""

    model: AdditiveModel
    estimator: Any
    outside: Mapping[str, str]
    not_graded: Mapping[str, str]
    rates: tuple[PointsBand, ...] = ()
    evaluation: bytes | None = None


def card_text(name: str) -> dict[str, Any]:
    """What people wrote about a model (cards/<name>.yaml)."""
    text: dict[str, Any] = data_files.read_yaml(CARDS / f"{name}.yaml", dict)
    return text


def card(export: Export, sha256: str) -> ModelCard:
    """The card: what people wrote, and what follows from the graph itself."""
    text = card_text(export.model.name)
    why = text.pop("why")
    limits = [ScopeLimit(**limit) for limit in text.pop("scope_limits", [])]
    limits.insert(0, ScopeLimit(input="age", low=18, reason="under-18"))
    inputs = tuple(
        model_input(curve.input, required=math.isnan(curve.missing), why=why.pop(curve.input), curve=curve)
        for curve in map(own_curve, export.model.shapes)
    )
    if why:
        raise ModelError(f"{export.model.name}: the card explains {', '.join(why)}, which the model does not read")
    operation = "procedure_group" if "procedure_group" in export.model.inputs else None
    members = {
        **text,
        "limits": tuple(text["limits"]),
        "citations": tuple(text["citations"]),
        "name": export.model.name,
        "sha256": sha256,
        "inputs": inputs,
        "operation_input": operation,
        "published_rates": export.rates,
        "scope": Scope(
            limits=tuple(limits),
            operations_outside=dict(export.outside),
            operations_not_graded=dict(export.not_graded),
        ),
    }
    return msgspec.convert(msgspec.to_builtins(members), ModelCard)


def probes(model: AdditiveModel, rows: int = 400, seed: int = 20261124) -> NDArray[np.float64]:
    """Rows to compare on: every piece, both sides of every cut, a quarter missing, all missing, far outside."""
    random = np.random.default_rng(seed)
    columns = []
    for curve in map(own_curve, model.shapes):
        if curve.indexed:
            column = random.integers(0, len(curve.pieces), rows).astype(float)
        else:
            width = curve.high - curve.low
            column = random.uniform(curve.low - width, curve.high + width, rows)
            edges = [
                edge for cut in (*curve.breaks, curve.low, curve.high) for edge in (math.nextafter(cut, -math.inf), cut)
            ]
            column[: len(edges)] = edges
        column[random.random(rows) < 0.25] = math.nan
        columns.append(column)
    return np.vstack([np.column_stack(columns), np.full((1, len(columns)), math.nan)])


def check_parity(export: Export, graph: bytes) -> float:
    """The largest difference between graph and estimator (log-odds or points); raises ModelError beyond 1e-6.

    Also that contributions add up to the logit minus the reference within 1e-9, and that both refuse (NaN)
    the same rows.
    """
    rows = probes(export.model)
    session = open_session(graph)
    names = [output.name for output in session.get_outputs()]
    out = dict(zip(names, session.run(None, {"X": rows}), strict=True))
    out = {
        name: values[:, 0] if values.shape[1] == 1 and name != "contributions" else values
        for name, values in out.items()
    }
    total = out["logit" if export.model.link == "logit" else "points"]
    wanted = export.estimator.decision_function(rows)
    if not np.array_equal(np.isnan(total), np.isnan(wanted)):
        raise ModelError(f"{export.model.name}: graph and estimator refuse different rows")
    known = ~np.isnan(wanted)
    pairs = [(total, wanted), (out["contributions"], export.estimator.contributions(rows))]
    if "probability" in out:
        pairs.append((out["probability"], export.estimator.predict_proba(rows)[:, 1]))
    worst = max(float(np.abs(a[known] - b[known]).max()) for a, b in pairs)
    sums = np.abs(out["contributions"].sum(axis=1) + out["reference_logit"] - total)[known].max()
    if worst > PARITY or sums > 1e-9:
        raise ModelError(f"{export.model.name}: graph and estimator differ by {worst:.1e} (sums {sums:.1e})")
    return worst


def write(export: Export, directory: Path) -> dict[str, str]:
    """Write one model's folder, after the parity gate; returns name, version and sha256 for the stack."""
    graph = single(export.model)
    check_parity(export, graph)
    sha256 = hashlib.sha256(graph).hexdigest()
    made = card(export, sha256)
    folder = directory / made.outcome / made.name / made.version
    folder.mkdir(parents=True, exist_ok=True)
    folder.joinpath("model.onnx").write_bytes(graph)
    folder.joinpath("card.yaml").write_bytes(card_bytes(made))
    breaks = {curve.input: curve.inner for curve in map(own_curve, export.model.shapes)}
    people = golden.cases(made, breaks, golden.examples(made.name))
    folder.joinpath("golden_scores.json").write_bytes(golden.document(made, export.estimator, people))
    if export.evaluation is not None:
        folder.joinpath("evaluation.json").write_bytes(export.evaluation)
    return {"model": made.name, "version": made.version, "sha256": sha256}


def card_bytes(made: ModelCard) -> bytes:
    """card.yaml, members in the order of ModelCard, those without a value left out."""
    members = {key: value for key, value in msgspec.to_builtins(made).items() if value not in (None, [], {}, "")}
    return yaml.safe_dump(members, sort_keys=False, allow_unicode=True, width=116).encode()


def write_stack(exports: Sequence[Export], members: Sequence[dict[str, str]], directory: Path) -> None:
    """Write the graph of all models, after holding it bit for bit against the single graphs."""
    models = [export.model for export in exports]
    features = list(dict.fromkeys(name for model in models for name in model.inputs))
    graph = stacked(models, features, members)
    compare_stack(models, features, open_session(graph))
    directory.joinpath("stacked.onnx").write_bytes(graph)
    placed = [{**member, "places": place} for member, place in zip(members, places(models), strict=True)]
    lines = ",\n  ".join(json.dumps(member) for member in placed)
    head = json.dumps({"sha256": hashlib.sha256(graph).hexdigest(), "feature_order": features}, indent=1)
    text = f'{head[:-2]},\n "members": [\n  {lines}\n ]\n}}\n'
    directory.joinpath("stacked.json").write_text(text, encoding="utf-8")
    manifest.write(directory)


def compare_stack(
    models: Sequence[AdditiveModel], features: Sequence[str], session: onnxruntime.InferenceSession
) -> None:
    """Raise ModelError unless the stacked graph gives every model's own numbers, bit for bit."""
    for position, model in enumerate(models):
        own = probes(model)
        together = np.full((len(own), len(features)), math.nan)
        together[:, [features.index(name) for name in model.inputs]] = own
        all_logits = session.run(["numbers"], {"X": together})[0][:, position]
        name = "logit" if model.link == "logit" else "points"
        alone = open_session(single(model)).run([name], {"X": own})[0][:, 0]
        if not np.array_equal(all_logits, alone, equal_nan=True):
            raise ModelError(f"{model.name}: the stacked graph differs from the single one")
