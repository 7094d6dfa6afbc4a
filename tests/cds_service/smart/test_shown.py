"""The profile shows: trends that are the results themselves, names in the place of ids, and whose profile it is."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest

from cds_service.demo import sign_in
from cds_service.pages import trend
from cds_service.smart import described, sources
from cds_service.smart.sources import LISTS
from fhir_mappings.results.feature import Feature
from fhir_mappings.results.history import EarlierResult
from tests import builders
from tests.cds_service.advice import people
from tests.cds_service.smart.conftest import Demo
from tests.cds_service.smart.test_profile import assessment, card_of, signed_in

PATIENTS = {"demo-comorbid": "63047", "demo-no-asa": "22612", "demo-dialysis": "63047", "demo-hip": "OR-HIP"}


@pytest.fixture(scope="module")
def pages(demo: Demo) -> dict[str, str]:
    return {patient: profile(demo, patient) for patient in PATIENTS}


def profile(demo: Demo, patient: str) -> str:
    return signed_in(demo, patient, assessment(card_of(demo, patient, PATIENTS[patient]))).text


@pytest.mark.parametrize("patient", PATIENTS)
def test_no_resource_id_stands_on_the_page(pages: dict[str, str], patient: str) -> None:
    page = pages[patient]
    assert patient not in page
    assert not re.search(rf"\b(?:{'|'.join([*LISTS, 'Practitioner'])})/", page)


def test_a_result_is_named_as_its_laboratory_names_it(pages: dict[str, str]) -> None:
    page = pages["demo-comorbid"]
    row = re.search(r'<tr><th scope="row">Creatinine</th><td class="figure".*?</tr>', page, re.DOTALL)
    assert row
    assert "Creatinine (LOINC 2160-0)" in row[0]
    assert "diagnosis list" in page


def test_the_trend_of_a_laboratory_value_tells_every_result_that_was_read(pages: dict[str, str]) -> None:
    spoken = re.search(r'class="trend"[^>]*aria-label="creatinine in mg/dL: ([^"]*)"', pages["demo-comorbid"])
    assert spoken
    assert re.findall(r"([\d.]+) on ", spoken[1]) == ["1.5", "1.8", "2.1", "2.4"]


def test_one_result_alone_is_no_trend(pages: dict[str, str]) -> None:
    assert 'class="trend"' not in pages["demo-no-asa"]


def results(*told: tuple[float, float]) -> list[EarlierResult]:
    """(value, days before the hook), oldest first."""
    return [
        EarlierResult(value, "", builders.AS_OF - timedelta(days=days), f"Observation/{number}")
        for number, (value, days) in enumerate(told)
    ]


def dots(svg: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r'<circle class="trend-\w+" cx="([\d.]+)" cy="([\d.]+)"', svg)]


def test_the_points_of_a_trend_are_the_results() -> None:
    """Time to the right and the number upwards, both to scale; the one in use is the filled one."""
    feature = Feature(name="creatinine", status="used", source="Observation/1")
    told = results((1.0, 100), (3.0, 75), (2.0, 0))
    svg = trend.line(feature, told, builders.ZONE)
    left, right = trend.EDGE, trend.WIDTH - trend.EDGE
    bottom, top = trend.HEIGHT - trend.EDGE, trend.EDGE
    quarter, middle = left + (right - left) / 4, (top + bottom) / 2
    assert dots(svg) == [(left, bottom), (pytest.approx(quarter, abs=0.1), top), (right, middle)]
    assert svg.count("trend-used") == 1
    assert f'class="trend-used" cx="{round(quarter, 1)}"' in svg


def test_results_that_never_changed_are_a_level_line() -> None:
    feature = Feature(name="creatinine", status="used", source="Observation/0")
    told = dots(trend.line(feature, results((1.0, 9), (1.0, 5)), builders.ZONE))
    assert {y for _, y in told} == {trend.HEIGHT / 2}


def test_a_component_and_a_result_without_words_are_named_by_their_code() -> None:
    record = builders.a_record(builders.an_observation("2160-0", 1.1, id="cr"))
    known = sources.names(record)
    assert sources.words("Observation/cr", known) == "LOINC 2160-0"
    assert sources.words("Observation/cr Condition/7 Condition/8", known) == "LOINC 2160-0, diagnosis list"
    assert sources.words("Observation/unknown", known) == "result"
    assert sources.words("Bundle/x", known) == "record"


def test_the_name_of_a_test_is_text_and_never_markup() -> None:
    coded = builders.coded((builders.LOINC, "2160-0"), text="<script>" + "x" * 500)
    record = builders.a_record(builders.an_observation(coded, 1.1, id="cr"), people.asa(3))
    told = described.result_of(people.assessed(record), record)
    source = next(row.source for row in told.used if row.code == "creatinine")
    assert source.startswith("<script>")
    assert len(source) < 100
    assert "<script>" not in html.escape(source)


@pytest.fixture
def framed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo EHR says that it shows whose page it is."""
    granted = sign_in._granted
    monkeypatch.setattr(sign_in, "_granted", lambda *told: granted(*told) | {"need_patient_banner": False})


def test_the_banner_names_the_patient_unless_the_ehr_does(demo: Demo, pages: dict[str, str]) -> None:
    banner = re.search(r'<div class="banner">(.*?)</div>', pages["demo-comorbid"])
    assert banner
    assert "Konrad Demo" in banner[1]
    assert re.search(r"born \d+ \w+ 19\d\d", banner[1])


@pytest.mark.usefixtures("framed")
def test_where_the_ehr_shows_a_banner_ours_is_for_paper_alone(demo: Demo) -> None:
    page = profile(demo, "demo-comorbid")
    assert '<div class="banner print-only">' in page


def test_nothing_of_the_patient_is_in_the_logs(demo: Demo, capfd: pytest.CaptureFixture[str]) -> None:
    page = profile(demo, "demo-comorbid")
    assert "Konrad Demo" in page
    written = "".join(capfd.readouterr())
    for canary in ("Konrad", "demo-comorbid", "26.8", "partially"):
        assert canary not in written
