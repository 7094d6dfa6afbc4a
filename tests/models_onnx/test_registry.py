"""What the registry refuses to serve, and what every model answers."""

from __future__ import annotations

import math
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_onnx.encoding import InputError
from models_onnx.model_card import ModelError
from models_onnx.registry import PACKAGE, Registry, load
from models_onnx.score import Score
from tests.models_onnx.people import Values, a_person

SHARED = load(class_b=True)


def scores(registry: Registry, values: Values) -> dict[str, Score]:
    return {score.model: score for score in registry.score(values)}


@pytest.fixture
def a_copy(tmp_path: Path) -> Path:
    for path in PACKAGE.rglob("*"):
        if path.suffix in {".onnx", ".yaml", ".json"} and "training" not in path.parts:
            target = tmp_path / path.relative_to(PACKAGE)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    return tmp_path


def test_sort_tells_0_82_percent_for_72_years_asa_iii_elective_fusion(registry: Registry) -> None:
    sort = scores(registry, a_person())["sort-2014"]
    assert (sort.status, round(sort.probability or 0, 4)) == ("computed", 0.0082)


@pytest.mark.parametrize(
    ("model", "changes", "probability"),
    [
        ("sort-2014", {"age": 64}, 0.003781),
        ("sort-2014", {"age": 65}, 0.008187),
        ("sort-2014", {"age": 79}, 0.008187),
        ("sort-2014", {"age": 80}, 0.018289),
        ("gupta-mica", {"creatinine": 1.5}, 0.003990),
        ("gupta-mica", {"creatinine": math.nextafter(1.5, 2)}, 0.007319),
        ("gupta-mica", {"creatinine": None}, 0.003612),
        ("gupta-respiratory-failure", {"urgency": "elective"}, 0.014207),
        ("gupta-respiratory-failure", {"urgency": "urgent"}, 0.024945),
    ],
)
def test_an_equation_steps_where_it_was_published_to(
    registry: Registry, model: str, changes: Values, probability: float
) -> None:
    assert scores(registry, a_person(**changes))[model].probability == pytest.approx(probability, abs=1e-6)


@pytest.mark.parametrize(
    ("changes", "points", "ccs", "lee"),
    [
        ({}, 0, 0.039, 0.004),
        ({"creatinine": 2.0}, 0, 0.039, 0.004),
        ({"creatinine": math.nextafter(2.0, 3)}, 1, 0.060, 0.009),
        ({"insulin": True, "heart_failure": True}, 2, 0.101, 0.066),
        ({"insulin": True, "heart_failure": True, "procedure_group": "colorectal-resection"}, 3, 0.150, 0.110),
    ],
)
def test_rcri_tells_points_beside_both_published_rates(
    registry: Registry, changes: Values, points: float, ccs: float, lee: float
) -> None:
    rcri = scores(registry, a_person(**changes))["rcri"]
    assert (rcri.status, rcri.probability, rcri.points, rcri.maximum_points) == ("score-only", None, points, 6)
    assert [(rate.source, rate.probability) for rate in rcri.published_rates] == [
        ("CCS 2017", ccs),
        ("Lee 1999 validation", lee),
    ]


def test_mfi_5_tells_points_and_no_rate(registry: Registry) -> None:
    mfi = scores(registry, a_person(diabetes=True, functional_status="totally-dependent"))["mfi-5"]
    assert (mfi.status, mfi.points, mfi.maximum_points, mfi.published_rates) == ("score-only", 2, 5, ())


@pytest.mark.parametrize("name", ["asa_class", "age", "urgency", "cancer", "procedure_group"])
def test_an_equation_without_a_required_input_says_what_it_needs(registry: Registry, name: str) -> None:
    sort = scores(registry, a_person(**{name: None}))["sort-2014"]
    assert (sort.status, sort.reason, sort.needs) == ("not-computable", "required-input-missing", (name,))
    assert sort.probability is None
    assert sort.contributions == ()


def test_an_absent_name_is_a_missing_input(registry: Registry) -> None:
    values = a_person()
    del values["asa_class"]
    assert scores(registry, values)["sort-2014"].needs == ("asa_class",)


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"age": 17}, "out-of-scope", "under-18"),
        ({"age": 17, "asa_class": None}, "out-of-scope", "under-18"),
        ({"procedure_group": "craniotomy"}, "out-of-scope", "operation-out-of-scope"),
        ({"procedure_group": "spine-vertebral-augmentation"}, "not-computable", "operation-not-graded"),
    ],
)
def test_a_person_or_operation_the_equation_was_not_made_for_gets_no_number(
    registry: Registry, changes: Values, status: str, reason: str
) -> None:
    sort = scores(registry, a_person(**changes))["sort-2014"]
    assert (sort.status, sort.reason, sort.probability) == (status, reason, None)


def people() -> st.SearchStrategy[Values]:
    """Every input of every model at any of its values, or missing."""
    inputs = {}
    for entry in load(class_b=True).inputs:
        if entry.kind == "number":
            values = st.floats(entry.low or 0, entry.high or 0) | st.floats(-1e9, 1e9)
        else:
            values = st.sampled_from(entry.categories or (False, True))
        inputs[entry.name] = st.none() | values
    return st.fixed_dictionaries(inputs)


@settings(deadline=None)
@given(values=people())
def test_contributions_cover_every_input_and_add_up_to_the_logit(values: Values) -> None:
    registry = SHARED
    for score, card in zip(registry.score(values), registry.cards, strict=True):
        if score.status == "computed":
            assert [entry.input for entry in score.contributions] == [entry.name for entry in card.inputs]
            total = (score.reference_logit or 0) + sum(entry.log_odds for entry in score.contributions)
            assert total == pytest.approx(score.logit, abs=1e-9)
            assert 0 < (score.probability or 0) < 1


def test_the_reference_is_one_per_model_and_operation(registry: Registry) -> None:
    one = scores(registry, a_person())
    other = scores(registry, a_person(age=40, asa_class=1, functional_status="totally-dependent", creatinine=None))
    for name, score in one.items():
        assert score.reference_logit == other[name].reference_logit


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("age", True),
        ("age", "72"),
        ("age", math.nan),
        ("age", math.inf),
        ("cancer", 1),
        ("cancer", "yes"),
        ("urgency", "stat"),
        ("urgency", True),
        ("urgency", "kind"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_without_telling_it(
    registry: Registry, name: str, value: float | str
) -> None:
    with pytest.raises(InputError) as refused:
        registry.score(a_person(**{name: value}))
    assert str(refused.value) == f"{name}: not a value of this input"


def test_many_threads_get_the_same_answer(registry: Registry) -> None:
    alone = registry.score(a_person())
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(registry.score, [a_person()] * 200))
    assert all(answer == alone for answer in together)


def test_peer_figures_are_shares_of_at_least_ten_events(registry: Registry) -> None:
    peer = registry.peer("any-complication", "spine-fusion")
    assert peer is not None
    assert peer.probability == pytest.approx(peer.events / peer.n, abs=1e-6)
    assert registry.peer("30-day-death", "spine-decompression") is None
    assert registry.peer("any-complication", "no-such-group") is None


@pytest.mark.parametrize("name", ["30-day-death/sort-2014/1.0.0/model.onnx", "stacked.onnx"])
def test_a_graph_with_one_byte_changed_is_not_served(a_copy: Path, name: str) -> None:
    content = bytearray((a_copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (a_copy / name).write_bytes(content)
    with pytest.raises(ModelError, match="sha256 differs"):
        load(a_copy)


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


SORT = "30-day-death/sort-2014/1.0.0"
RCRI = "{model: rcri, version: 1.0.0, state: champion}"


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        (f"{SORT}/golden_scores.json", '"logit": -4.797', '"logit": -4.796', "not reproduced"),
        (f"{SORT}/card.yaml", "name: sort-2014", "name: sort-2015", "its card lies in"),
        (f"{SORT}/card.yaml", "kind: probability", "kind: likelihood", "card.yaml cannot be read"),
        (f"{SORT}/card.yaml", "unit: years", "unit: months", "input age differs"),
        ("registry.yaml", RCRI, RCRI.replace("1.0.0", "2.0.0"), "rcri 1.0.0: registry.yaml must name it once"),
        ("registry.yaml", "state: champion", "state: chief", "registry.yaml cannot be read"),
        ("stacked.json", '"urgency",\n  "cancer"', '"cancer",\n  "urgency"', "not reproduced"),
    ],
)
def test_what_does_not_agree_is_not_served(a_copy: Path, name: str, old: str, new: str, says: str) -> None:
    change(a_copy / name, old, new)
    with pytest.raises(ModelError, match=says):
        load(a_copy)


def test_a_folder_that_nobody_entered_is_not_served(a_copy: Path) -> None:
    shutil.copytree(a_copy / "frailty/mfi-5/1.0.0", a_copy / "frailty/mfi-5/1.1.0")
    change(a_copy / "frailty/mfi-5/1.1.0/card.yaml", "version: 1.0.0", "version: 1.1.0")
    with pytest.raises(ModelError, match=r"mfi-5 1\.1\.0: stacked\.onnx was not made from this graph"):
        load(a_copy)


def test_a_retired_model_does_not_answer(a_copy: Path) -> None:
    change(a_copy / "registry.yaml", RCRI, RCRI.replace("champion", "retired"))
    assert "rcri" not in scores(load(a_copy), a_person())


def test_serving_loads_no_training_library() -> None:
    code = "import sys, models_onnx.registry as r; r.load(); print(*sorted({m.split('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"sklearn", "onnx", "pandas", "scipy", "skl2onnx", "fhir_mappings"} & set(loaded)
