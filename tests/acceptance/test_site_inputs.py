"""A model of the site's own reads a laboratory value that only its site folder adds, by the site's name for it."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from cds_service import tenant_runtime
from cds_service.answer import answer
from cds_service.commands.cli import main
from cds_service.hooks.request import read_request
from cds_service.smart import view
from cds_service.smart.profile import Opened
from cds_service.tenants import tenant_files
from cds_service.web.app import MODELS, create_app
from cds_service.web.settings import Settings
from models_onnx.added import shelf
from tests.acceptance import own_models
from tests.acceptance.own_models import EXTENSION, NOT_VALIDATED, REPORT, VALIDATION
from tests.acceptance.requests import a_functional_status, a_request, a_result, an_asa_class, bundle
from tests.cds_service import test_your_own_codes
from tests.cds_service.records.present import a_worker_uses
from tests.models_onnx.added import graphs
from tests.models_onnx.added.test_shelf import accepting

NAME, UNIT, CALLED = "thyrotropin", "m[IU]/L", "TSH of our laboratory"
THYROTROPIN = {
    "name": NAME,
    "kind": "number",
    "unit": UNIT,
    "low": 0.01,
    "high": 100,
    "values": [1, 4, 20],
    "site": True,
}
AGE = {"name": "age", "kind": "number", "unit": "years", "low": 18, "high": 100}


def a_model(at: Path, *, validated: bool = False, **members: Any) -> Path:
    """The folder of a model of age and thyrotropin."""
    nodes = [graphs.node("Gemm", ["X", "w", "b"], ["z"]), graphs.node("Sigmoid", ["z"], ["p"])]
    weights = [graphs.constant("w", [[0.02], [0.05]]), graphs.constant("b", [-3.0])]
    content = graphs.graph(nodes, weights, inputs=[graphs.port("X", graphs.FREE, 2)])
    own = {
        "inputs": [AGE, THYROTROPIN],
        "examples": [{"inputs": {"age": 60, NAME: 4}, "probability": figure(60, 4)}],
        "contributions": {
            "method": "additive",
            "background": [{"age": 60, NAME: 2}],
            "background_words": "a person of 60 years",
        },
    }
    folder = graphs.folder(at, content, **(own | members | ({"validation": VALIDATION} if validated else {})))
    (folder / "report.txt").write_bytes(REPORT)
    return folder


def figure(age: float, thyrotropin: float) -> float:
    return 1 / (1 + math.exp(3 - 0.02 * age - 0.05 * thyrotropin))


def a_tenant(at: Path, *names: str, without: str = "") -> Path:
    """The tenant of docs/your-own-codes.md, which is told these models and has its own word for the value."""
    laboratory = test_your_own_codes.files()["tenants/site/laboratory.yaml"]
    folder = test_your_own_codes.written(at, laboratory=laboratory.replace("label: thyrotropin", f"label: {CALLED}"))
    file = folder / "example.yaml"
    kept = [line for line in file.read_text().splitlines() if not (without and line.startswith(without))]
    file.write_text("\n".join([f"added_models: [{', '.join(names)}]", *kept]))
    return folder


def an_app(at: Path, models: Path, tenants: Path | None) -> Flask:
    named: dict[str, Any] = {"tenants": tenants, "demo": tenants is None}
    database = f"sqlite:///{at}/record.sqlite3"
    return create_app(Settings(site_models=models, database_url=database, state_directory=at, **named))


@pytest.fixture
def models(tmp_path: Path) -> Path:
    shelf.add(tmp_path / "models", a_model(tmp_path / "made"), accepting())
    return tmp_path / "models"


def card(app: Flask, *labs: dict[str, Any], **prefetch: Any) -> dict[str, Any]:
    body = a_request(labs=bundle(a_result("2160-0", 1.1, "mg/dL"), *labs), **prefetch)
    response = app.test_client().post("/cds-services/surgical-risk", json=body)
    assert response.status_code == 200, response.text
    told: dict[str, Any] = response.json["cards"][0]
    return told


@pytest.mark.parametrize(("value", "unit"), [(14.2, UNIT), (14.2, "u[IU]/mL"), (14.2, "mE/l")])
def test_its_figure_is_the_graphs_and_the_card_names_the_value_as_the_site_does(
    tmp_path: Path, models: Path, value: float, unit: str
) -> None:
    app = an_app(tmp_path, models, a_tenant(tmp_path, "bleeding"))
    told = card(app, test_your_own_codes.a_value(value, unit))
    assert own_models.prediction(told)["probability"] == pytest.approx(figure(72, 14.2), abs=1e-6)
    assert f"(higher with {CALLED} 14.2 mIU/L" in own_models.line(told).replace("m[IU]/L", "mIU/L")
    page = app.test_client().get("/models/added/bleeding").text
    assert CALLED in page
    assert "read where the site's own folder adds it" in page.replace("&#39;", "'")
    assert "example" not in page.partition("What it reads")[2], "no tenant is named"


def test_where_it_is_missing_the_range_hangs_on_it(tmp_path: Path, models: Path) -> None:
    told = card(an_app(tmp_path, models, a_tenant(tmp_path, "bleeding")))
    low, high = (math.floor(100 * figure(72, one) + 0.5) for one in (1, 20))
    assert own_models.line(told).endswith(f"days {low} to {high} in 100, depending on {CALLED}.")
    assert "probability" not in own_models.prediction(told)


def test_a_validated_one_names_it_among_what_is_missing(tmp_path: Path) -> None:
    shelf.add(tmp_path / "models", a_model(tmp_path / "made", validated=True), accepting())
    known = bundle(an_asa_class(), a_functional_status(), a_result("39156-5", 27, "kg/m2"))
    told = card(an_app(tmp_path, tmp_path / "models", a_tenant(tmp_path, "bleeding")), observations=known)
    assert CALLED in told["detail"].partition("**Missing:**")[2].partition("\n")[0]
    assert own_models.prediction(told)["status"] == "range"


def test_where_nothing_adds_it_and_every_model_is_told_there_is_no_figure_and_nothing_is_missing(
    tmp_path: Path, models: Path
) -> None:
    told = card(an_app(tmp_path, models, None))
    assert own_models.line(told).endswith("not computed: this site does not read thyrotropin.")
    assert NAME not in {one["name"] for one in told["extension"][EXTENSION]["inputs"]}
    assert NOT_VALIDATED in own_models.line(told)


def faults(tmp_path: Path) -> dict[str, tuple[Path, str]]:
    """Tenants that cannot be told the model, with what is said of each."""
    without = a_tenant(tmp_path / "a", "bleeding", without="site_folder")
    unit = a_tenant(tmp_path / "b", "bleeding")
    laboratory = unit / "site" / "laboratory.yaml"
    other = laboratory.read_text().replace('"u[IU]/mL"', '"X"').replace("unit: m[IU]/L", "unit: u[IU]/mL")
    laboratory.write_text(other.replace('"X"', '"m[IU]/L"'))
    return {
        "absent": (
            without,
            f"{without}/example.yaml:1: added_models: bleeding 1.0.0 reads thyrotropin, which its site",
        ),
        "unit": (unit, f"reads thyrotropin in 'm[IU]/L', and {laboratory}:5 adds it in 'u[IU]/mL'"),
    }


@pytest.mark.parametrize("fault", ["absent", "unit"])
def test_no_service_starts_where_a_tenant_lacks_it_and_check_says_where(
    tmp_path: Path, models: Path, fault: str
) -> None:
    tenants, words = faults(tmp_path)[fault]
    with pytest.raises(Exception, match="thyrotropin") as raised:
        an_app(tmp_path, models, tenants)
    assert words in str(raised.value)
    checked = run(tmp_path, "check", "--tenants", tenants)
    assert checked.exit_code == 1
    assert words in checked.output


def test_a_model_that_the_tenants_cannot_serve_is_not_taken_while_the_service_runs(tmp_path: Path) -> None:
    shelf.add(tmp_path / "models", graphs.folder(tmp_path / "made", graphs.logistic()), accepting())
    tenants = a_tenant(tmp_path, "bleeding", without="site_folder")
    app = an_app(tmp_path, tmp_path / "models", tenants)
    shelf.add(tmp_path / "models", a_model(tmp_path / "later", version="2.0.0"), accepting())
    in_force = app.extensions[MODELS]
    assert not in_force.refresh()
    assert "reads thyrotropin" in in_force.status.refused
    assert in_force.knowledge.added.by_name["bleeding"].card.version == "1.0.0"


def run(at: Path, *words: str | Path) -> Result:
    environment = {"DATABASE_URL": f"sqlite:///{at}/r.sqlite3", "CDS_SITE_MODELS": str(at / "models")}
    assert CliRunner().invoke(main, ["record", "migrate"], env=environment).exit_code == 0
    a_worker_uses(environment["DATABASE_URL"])
    return CliRunner().invoke(main, [str(word) for word in words], env=environment)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (THYROTROPIN | {"unit": "mmol/L"}, "tenant example: bleeding 1.0.0 reads thyrotropin in 'mmol/L', and "),
        (THYROTROPIN | {"name": "thyroxine"}, "tenant example: bleeding 1.0.0 reads thyroxine, which its site folder"),
        (
            THYROTROPIN | {"site": False},
            "input thyrotropin is no feature (of a site's folder it would say `site: true`)",
        ),
        (THYROTROPIN | {"name": "haemoglobin"}, "input haemoglobin is read by this service itself; take `site: true`"),
    ],
    ids=["another unit", "another name", "not said", "one of ours"],
)
def test_models_add_names_file_and_line(tmp_path: Path, entry: dict[str, Any], words: str) -> None:
    person = {"age": 60, entry["name"]: 4}
    background = {"method": "none"}
    examples = [{"inputs": person, "probability": figure(60, 4)}]
    source = a_model(tmp_path / "made", inputs=[AGE, entry], examples=examples, contributions=background)
    line = 1 + [row.strip() for row in (source / "model.yaml").read_text().splitlines()].index(
        f"- name: {entry['name']}"
    )
    told = run(
        tmp_path, "models", "add", source, "--by", "A", "--reason", "r",
        "--tenants", a_tenant(tmp_path, "bleeding"),
    )  # fmt: skip
    assert told.exit_code == 1
    assert f"{source}/model.yaml:{line}: {words}" in told.output


def test_models_inputs_lists_what_the_site_adds(tmp_path: Path) -> None:
    told = run(tmp_path, "models", "inputs", "--tenants", a_tenant(tmp_path)).output
    assert f"{NAME:36} number    {UNIT:16} {CALLED} (site: true; tenant example)" in told


@pytest.mark.parametrize("validated", [False, True])
@pytest.mark.parametrize("labs", [(), (test_your_own_codes.a_value(14.2),)], ids=["missing", "known"])
def test_the_risk_profile_tells_it_by_the_sites_name(
    tmp_path: Path, validated: bool, labs: tuple[dict[str, Any], ...]
) -> None:
    shelf.add(tmp_path / "models", a_model(tmp_path / "made", validated=validated), accepting())
    app = an_app(tmp_path, tmp_path / "models", a_tenant(tmp_path, "bleeding"))
    in_force = app.extensions[MODELS]
    (tenant,) = tenant_files.load(tmp_path / "tenants")
    site = tenant_runtime.open_tenant(tenant)
    body = a_request(labs=bundle(a_result("2160-0", 1.1, "mg/dL"), *labs))
    request = read_request(json.dumps(body).encode(), offered=("order-select",))
    given = answer(request, site=site, knowledge=in_force.knowledge, received=datetime.now(UTC))
    with app.test_request_context():
        page = view.page(Opened(site=site, answered=given, models=in_force.models)).get_data(as_text=True)
    assert CALLED in page
