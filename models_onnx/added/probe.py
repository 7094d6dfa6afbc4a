"""The trial of one added model, run as a process of its own with bounds on memory and time: `… probe FOLDER`.

Nothing of the service is loaded here but what scores. What it finds goes to standard output as JSON; what is wrong is
the last line of it, and exit code 3.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from models_onnx import added_card, added_contributions
from models_onnx.added import allowed_graph, trial
from models_onnx.added.trial import AddedGolden
from models_onnx.added_card import MOST_ROWS, AddedCard
from models_onnx.added_graph import CHUNK, AddedGraph, row
from models_onnx.added_model import MOST_SECONDS, AddedModel
from models_onnx.model_card import ModelError

REFUSED = 3
CPU_S = 45
MOST_MIB = 512
_ADDRESSES = 8 * 2**30  # onnxruntime reserves far more than it uses
_DATA = 2 * 2**30
# Half of what an answer may take, as the machine that serves may be busy or slower.
_SHARE = 0.5
_EXAMPLE = 1e-4
_SEED = 16


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What was found: golden scores, and what the graph costs."""

    golden: AddedGolden
    nodes: int
    operators: tuple[str, ...]
    milliseconds: float
    mebibytes: float
    notes: tuple[str, ...] = ()


def main(folder: Path) -> int:
    """Try the model in `folder` and print a Trial, or say why it is refused."""
    for what, limit in (
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_AS, _ADDRESSES),
        (resource.RLIMIT_DATA, _DATA),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (limit, limit))
    try:
        found = tried(folder)
    except (ModelError, MemoryError) as error:
        sys.stdout.write(str(error) or "model.onnx needs more memory than a model may")
        return REFUSED
    sys.stdout.buffer.write(msgspec.json.encode(found))
    return 0


def tried(folder: Path) -> Trial:
    """Everything that has to hold before a graph may answer in the service. Raises ModelError saying what does not."""
    card = added_card.read_card(folder)
    if (fewest := added_contributions.fewest_evaluations(card)) > card.contributions.evaluations:
        raise ModelError(f"contributions: this background needs evaluations: {fewest} at least")
    content = (folder / "model.onnx").read_bytes()
    consists_of = allowed_graph.check(content)
    before = _mebibytes()
    graph = AddedGraph(content, card)
    rows = _rows(card, MOST_ROWS)
    _repeats_itself(graph, rows, card)
    _says_what_its_makers_say(graph, card)
    if card.contributions.method == "additive":
        _is_additive(graph, card, rows[:CHUNK])
    milliseconds = _timed(graph, rows, card)
    used = _mebibytes() - before
    if used > MOST_MIB:
        raise ModelError(f"model.onnx takes {used:.0f} MiB; at most {MOST_MIB} are given")
    return Trial(
        golden=trial.made(AddedModel(card, graph, "")),
        nodes=consists_of.nodes,
        operators=consists_of.operators,
        milliseconds=milliseconds,
        mebibytes=round(used, 1),
        notes=tuple(_notes(graph, card, rows[:CHUNK])),
    )


def _mebibytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _rows(card: AddedCard, count: int) -> NDArray[np.float64]:
    """People of every kind that the card allows; the same at each trial."""
    draw = np.random.default_rng(_SEED)
    first = row(card, card.examples[0].inputs)
    columns = []
    for entry, known in zip(card.inputs, first, strict=True):
        values = [float(place) for place in range(len(entry.categories))] or [float(one) for one in entry.possible]
        columns.append(draw.choice(values or [known], size=count))
    rows: NDArray[np.float64] = np.stack(columns, axis=1)
    return rows


def _repeats_itself(graph: AddedGraph, rows: NDArray[np.float64], card: AddedCard) -> None:
    """A person's figure is the same asked twice, alone, and among others in another order."""
    few = rows[:CHUNK]
    together = graph.probabilities(few)
    alone = np.concatenate([graph.probabilities(one[None, :]) for one in few[:16]])
    same = np.allclose(together, graph.probabilities(few), atol=1e-6, rtol=0)
    backwards = graph.probabilities(few[::-1])[::-1]
    if not (same and np.allclose(together, backwards, atol=1e-5, rtol=0)):
        raise ModelError(f"{card.name}: the same person gets another figure when asked again")
    if not np.allclose(together[: len(alone)], alone, atol=1e-5, rtol=0):
        raise ModelError(f"{card.name}: a person's figure depends on the others that are asked with it")


def _says_what_its_makers_say(graph: AddedGraph, card: AddedCard) -> None:
    figures = graph.probabilities(np.array([row(card, one.inputs) for one in card.examples]))
    for place, (figure, example) in enumerate(zip(figures, card.examples, strict=True)):
        if abs(figure - example.probability) > _EXAMPLE:
            raise ModelError(
                f"examples: {place}: the graph says {figure:.6f}, model.yaml {example.probability:.6f}: "
                "look at the order of the inputs, at their units and at the output's column"
            )


def _is_additive(graph: AddedGraph, card: AddedCard, rows: NDArray[np.float64]) -> None:
    for person in rows[:64]:
        told = added_contributions.parts(card, person, graph.probabilities)
        whole = added_contributions.logits(graph.probabilities(person[None, :]))[0]
        if abs((told.reference or 0.0) + sum(told.log_odds) - whole) > 1e-3:
            raise ModelError("contributions: the graph is not additive in log-odds; name shapley or occlusion")


def _timed(graph: AddedGraph, rows: NDArray[np.float64], card: AddedCard) -> float:
    """Milliseconds of the dearest answer: as many rows as one may ask. The best of three, for others run here too."""
    found = []
    for _ in range(3):
        began = time.monotonic()
        graph.probabilities(rows, until=began + 10 * MOST_SECONDS)
        found.append(time.monotonic() - began)
    if min(found) > _SHARE * MOST_SECONDS:
        raise ModelError(
            f"{card.name}: too slow: {1000 * min(found):.0f} ms for {MOST_ROWS:,} rows, at most "
            f"{1000 * _SHARE * MOST_SECONDS:.0f} (each missing input and each contribution asks rows)"
        )
    return round(1000 * min(found), 1)


def _notes(graph: AddedGraph, card: AddedCard, rows: NDArray[np.float64]) -> list[str]:
    """What is allowed, and worth a look: an input that moves nothing."""
    told = []
    figures = graph.probabilities(rows)
    for place, entry in enumerate(card.inputs):
        changed = rows.copy()
        changed[:, place] = np.roll(changed[:, place], 1)
        if np.allclose(graph.probabilities(changed), figures, atol=1e-7):
            told.append(f"{entry.name} moves no figure of {len(rows)} people that were tried")
    return told


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
