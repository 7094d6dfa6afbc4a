"""DEC-46: a site's own model through the front door: told apart, never imputed, heading nothing unvalidated."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cds_service.pages import result
from cds_service.tenants.speaking import CARD_FLOORS
from tests.acceptance.own_models import (
    EXTENSION,
    NOT_VALIDATED,
    VALIDATION,
    Apps,
    a_site,
    always,
    card,
    labs,
    lasting,
    line,
    percent,
    prediction,
)
from tests.acceptance.requests import a_condition, a_request, an_asa_class, bundle
from tests.conformance.conftest import a_tenant_file
from tests.models_onnx.added import graphs


def test_a_card_tells_the_figure_apart_from_the_others_with_what_it_goes_with(apps: Apps, site: Path) -> None:
    told = card(apps(site))
    figure = percent(site, haemoglobin=10.9)
    assert line(told).startswith(f"**{NOT_VALIDATED}:** Blood transfusion within 7 days {figure} in 100 (higher with ")
    assert "haemoglobin 10.9 g/dL" in line(told)
    found = prediction(told)
    assert (found["status"], found.get("shown", False)) == ("computed", False)
    assert found["added"] == {
        "heading": "Blood transfusion within 7 days",
        "denominator": 100,
        "title": "Blood transfusion (example with invented numbers)",
        "method": "shapley",
        "background": "four invented people of 50 to 80 years without heart failure",
    }
    assert {one["input"] for one in found["contributions"]} == set(graphs.NAMES)


def test_without_haemoglobin_it_is_a_range_and_no_figure(apps: Apps, site: Path) -> None:
    told = card(apps(site), None)
    least, most = percent(site, haemoglobin=15.0), percent(site, haemoglobin=8.0)
    assert line(told).endswith(f"days {least} to {most} in 100, depending on haemoglobin.")
    found = prediction(told)
    assert (found["status"], "probability" in found, found["missingRange"]["low"] < 0.1) == ("range", False, True)


def test_conditions_that_were_not_understood_are_a_range_over_heart_failure(apps: Apps, site: Path) -> None:
    unread = bundle(a_condition("local-17", system="https://somewhere.example/codes"))
    told = card(apps(site), conditions=unread)
    assert " to " in line(told)
    assert "depending on heart failure" in line(told)


def test_nothing_else_of_the_card_is_another(apps: Apps, site: Path) -> None:
    """Words, headline, indicator, options and what the others say; a model that is sure of a transfusion too."""
    for haemoglobin in (14.0, 7.0):
        without, with_it = card(apps(None), haemoglobin), card(apps(site), haemoglobin)
        own = f"{line(with_it)}\n\n"
        assert own.strip()
        assert lasting(with_it)["detail"].replace(own, "") == lasting(without)["detail"]
        assert with_it["links"][0] == without["links"][0]
        for member in ("summary", "indicator", "source", "overrideReasons"):
            assert with_it.get(member) == without.get(member), member
        assert [one["label"] for one in with_it["suggestions"]] == [one["label"] for one in without["suggestions"]]
        before, after = (one["extension"][EXTENSION]["predictions"] for one in (without, with_it))
        assert [one for one in after if "added" not in one] == before


def quiet(tmp_path: Path, *names: str) -> Path:
    """A tenant that opens a card from high floors on only, and names models of its own."""
    folder = a_tenant_file(
        tmp_path / "tenants", environment="dev", clients=[], client_jwt="optional", added_models=list(names),
        card_floors=dict.fromkeys(CARD_FLOORS, 0.8), public_url="http://localhost:8000",
    )  # fmt: skip
    text = (folder / "tenant.yaml").read_text(encoding="utf-8")
    (folder / "tenant.yaml").write_text(text.replace("card_floor: 0.0\n", ""), encoding="utf-8")
    return folder


def test_it_opens_no_card_and_warns_of_nothing_until_a_report_stands_behind_it(apps: Apps, tmp_path: Path) -> None:
    tenants = quiet(tmp_path, "bleeding")
    body = a_request(labs=labs(14.0), observations=bundle(an_asa_class("I")))
    cards = {}
    for name, validated in (("plain", False), ("validated", True)):
        own = always(tmp_path / name, 0.9, validated=validated)
        answer = apps(own, tenants=tenants).test_client().post("/cds-services/surgical-risk", json=body)
        cards[name] = answer.json["cards"]
    assert cards["plain"] == []
    told = cards["validated"][0]
    assert told["indicator"] == "warning"
    assert told["summary"].startswith("30-day death (this site's model) after spinal fusion: about 900 in 1,000")
    assert "- Death within 30 days (this site's model): 900" in told["detail"]
    assert "not validated" not in told["detail"]
    assert told["links"][0]["url"] == "http://localhost:8000/models/added/bleeding"
    found = prediction(told)
    assert (found["shown"], found["added"]["validated"], found["added"]["report"]) == (
        True,
        True,
        VALIDATION["sha256"],
    )


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"operations": ["hip-arthroplasty"]}, "not computed: operation is outside what it was made for"),
        (
            {"inputs": [{"name": "age", "kind": "number", "unit": "years", "low": 18, "high": 65}]},
            "not computed: age is outside what it was made for",
        ),
    ],
)
def test_whom_it_was_not_made_for_is_told_so(apps: Apps, tmp_path: Path, members: dict[str, Any], words: str) -> None:
    if "inputs" in members:
        content = graphs.graph(
            [graphs.node("Mul", ["age", "k"], ["p"])],
            [graphs.constant("k", [0.001])],
            inputs=[graphs.port("age", graphs.FREE, 1)],
        )
        members |= {
            "examples": [{"inputs": {"age": 60}, "probability": 0.06}],
            "contributions": {"method": "none"},
        }
        own = a_site(tmp_path, content, **members)
    else:
        own = a_site(tmp_path, **members)
    assert words in line(card(apps(own)))


def test_its_page_says_whose_it_is_how_it_is_told_apart_and_what_a_missing_input_is(apps: Apps, site: Path) -> None:
    http = apps(site).test_client()
    assert "/models/added/bleeding" in http.get("/models", headers={"Accept": "text/html"}).text
    listed = http.get("/models", headers={"Accept": "application/json"}).json["added"]
    assert [(one["model"], one["validated"]) for one in listed] == [("bleeding", False)]
    page = http.get("/models/added/bleeding", headers={"Accept": "text/html"})
    words = (
        NOT_VALIDATED,
        "Shapley values",
        "four invented people of 50 to 80 years",
        "8, 9, 10, 11, 12, 13, 14, 15",
        "Nothing is imputed",
        "no validation report stands behind it",
        "Invented numbers; not for care.",
    )
    assert [one for one in words if one not in page.text] == []
    told = http.get("/models/added/bleeding", headers={"Accept": "application/json"}).json
    assert (told["origin"], told["contributions"]["method"]) == (NOT_VALIDATED, "shapley")
    assert http.get("/models/added/other").status_code == 404


def test_it_is_no_prediction_of_a_saved_estimate_before_it_is_validated(apps: Apps, tmp_path: Path) -> None:
    from cds_service.cards import chart

    for name, validated in (("plain", False), ("validated", True)):
        told = card(apps(always(tmp_path / name, 0.4, validated=validated)))
        saved = chart.resource(told["extension"][EXTENSION], chart.Owner("pt-b"), public_url="https://x.example")
        texts = [one["outcome"]["text"] for one in saved["prediction"]]
        assert ("Death within 30 days (this site's model)" in texts) is validated


@pytest.mark.parametrize("validated", [False, True])
@pytest.mark.parametrize("haemoglobin", [10.9, None])
def test_a_page_of_the_result_names_whose_model_it_is_and_where_it_is_told(
    apps: Apps, tmp_path: Path, validated: bool, haemoglobin: float | None
) -> None:
    told = card(apps(a_site(tmp_path, validated=validated)), haemoglobin)
    rows = result.result_rows(told["extension"][EXTENSION], ZoneInfo("UTC"))
    (own,) = [one for one in (*rows.told, *rows.others) if one.model == "bleeding"]
    assert own.heading == "Blood transfusion within 7 days (this site's model)"
    assert (own.page, own.shown) == ("/models/added/bleeding", validated)
    assert ("%" in own.percent, bool(own.pulls)) == (True, haemoglobin is not None)
    assert all(one.page.startswith(f"/models/{one.outcome}#") for one in rows.told if one is not own)
