"""The page of a case: what each mode shows when, to whom, in which words; where values stopped it says so."""

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest

from cds_service.answering import gate, modes
from cds_service.during.course_plot import WIDTH
from cds_service.web.app import RECORDS
from tests.cds_service.advice.banned import banned_words
from tests.cds_service.during.hospitals import (
    CLEARED,
    a_bundle,
    a_tenant_of,
    a_value,
    an_hospital,
    an_hour,
    an_operation,
    case_id,
    look,
    send,
)
from tests.fhir_mappings.during.observed import BEGIN, UCUM, at

LATER = BEGIN + timedelta(hours=2)
DURING = BEGIN + timedelta(minutes=59)


class Words(HTMLParser):
    """The text of a page."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_data(self, data):
        self.found.append(data)


def words_of(answer):
    reader = Words()
    reader.feed(answer.text)
    return " ".join(" ".join(reader.found).split())


def test_of_a_patient_who_is_held_out_nothing_is_shown(tmp_path, monkeypatch):
    monkeypatch.setattr(modes, "is_held_out", lambda share, _tenant, patient: share > 0 and patient == "p1")
    app = an_hospital(tmp_path, at=LATER)
    assert send(app, an_hour()).status_code == 200
    case = case_id(app)
    held = {True: 404, False: 200}
    for share in (0.0, 0.5):
        app = an_hospital(tmp_path, at=LATER, learning={"silent_share": share})
        is_out = gate.is_held_out(a_tenant_of(app), "p1")
        assert is_out == (share > 0)
        assert look(app, f"/{case}").status_code == held[is_out]
        assert (case in look(app).text) is not is_out


def test_nothing_is_shown_while_nobody_can_keep_an_account_of_it(tmp_path, monkeypatch):
    app = an_hospital(tmp_path, at=LATER)
    assert send(app, an_hour()).status_code == 200
    case = case_id(app)
    monkeypatch.setattr(app.extensions[RECORDS], "unwritten", lambda: "full")
    assert look(app, f"/{case}").status_code == 503


@pytest.mark.parametrize(
    ("mode", "cleared", "ended", "status", "shows"),
    [
        ("off", False, True, 404, ""),
        ("closed-case", False, False, 403, "Nothing is shown yet"),
        ("closed-case", False, True, 200, "After the operation"),
        ("live", True, False, 200, "Operation under way"),
        ("live", True, True, 200, "After the operation"),
    ],
)
def test_the_mode_says_what_the_page_shows_and_when(tmp_path, mode, cleared, ended, status, shows):
    during = {"device_cleared": CLEARED} if cleared else {}
    app = an_hospital(tmp_path, "closed-case", during=during, at=DURING)
    assert send(app, an_hour(ended=ended)).status_code == 200
    case = case_id(app)
    app = an_hospital(tmp_path, mode, during=during, at=LATER if ended else DURING)
    answer = look(app, f"/{case}")
    assert answer.status_code == status
    assert shows in answer.text
    if status != 200:
        assert "<svg class=" not in answer.text
        assert "55" not in words_of(answer)


@pytest.mark.parametrize("members", [{"mode": "silent"}, {"retired_on": "2026-11-01"}])
def test_where_the_service_may_not_speak_there_is_no_page(tmp_path, members):
    app = an_hospital(tmp_path, at=LATER)
    send(app, an_hour())
    case = case_id(app)
    assert look(an_hospital(tmp_path, at=LATER, **members), f"/{case}").status_code == 404


def test_a_closed_case_tells_what_left_its_band_with_time_and_duration(closed):
    told = words_of(look(closed, f"/{case_id(closed)}"))
    assert "Mean pressure below 65 mmHg" in told
    assert "08:15 to 08:30 15 min lowest 55 mmHg" in told
    assert "the age of the patient is not known" in told
    assert "15.0 min" in told
    assert "Not recorded: systolic pressure, diastolic pressure, oxygen saturation, temperature." in told
    assert "the patient's own pressure before the operation is not known" in told


def test_with_blood_loss_and_the_date_of_birth_there_is_a_score_from_what_was_sent(closed):
    loss = a_value("81661-1", 120, 3500, valueQuantity={"value": 120, "code": "mL", "system": UCUM})
    loss["effectivePeriod"] = {"start": at(0), "end": at(3500)}
    del loss["effectiveDateTime"]
    person = {"resourceType": "Patient", "id": "p1", "birthDate": "1957-03-02", "name": [{"family": "Canary"}]}
    assert send(closed, a_bundle(loss, person)).json["kept"] == 2
    answer = look(closed, f"/{case_id(closed)}")
    assert "lowest heart rate: 70; seen 100 % of the case" in words_of(answer)
    assert "6 of 10 points" in words_of(answer)  # 2 for the loss, 2 for the pressure, 2 for the rate
    with closed.extensions[RECORDS].durable.connect() as connection:
        assert "Canary" not in str(connection.exec_driver_sql("SELECT body FROM during_entry").all())


def test_nothing_on_the_page_is_banned_orders_or_predicts(closed):
    told = words_of(look(closed, f"/{case_id(closed)}")).lower()
    assert banned_words(told) == []
    for word in ("alarm", "alert", "will ", "should", "warning", "give ", "danger"):
        assert word not in told, word


def test_the_page_runs_no_script_and_makes_no_sound(closed):
    answer = look(closed, f"/{case_id(closed)}")
    assert not any(tag in answer.text for tag in ("<script", "<audio", "style="))
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_running_case_renews_itself_unless_it_is_held_and_a_closed_one_does_not(tmp_path, closed):
    refresh = 'http-equiv="refresh"'
    assert refresh not in look(closed, f"/{case_id(closed)}").text
    app = an_hospital(tmp_path / "live", "live", during={"device_cleared": CLEARED}, at=DURING)
    send(app, an_hour(ended=False))
    assert refresh in look(app, f"/{case_id(app)}").text
    assert refresh not in look(app, f"/{case_id(app)}?hold=1").text


def test_values_that_stopped_stand_in_a_banner_and_no_value_is_told_as_now(tmp_path):
    app = an_hospital(tmp_path, "live", during={"device_cleared": CLEARED}, at=BEGIN + timedelta(minutes=30))
    send(app, a_bundle(an_operation(), *(a_value(seconds=60.0 * minute) for minute in range(10))))
    told = words_of(look(app, f"/{case_id(app)}"))
    assert "No values of heart rate since 08:11" in told
    assert "the last was of 08:09" in told
    assert "no value now" in told


def test_what_was_set_aside_is_told_in_the_place_of_an_old_value(tmp_path):
    app = an_hospital(tmp_path, "live", at=BEGIN + timedelta(minutes=10))
    rates = [a_value(value=73, seconds=30.0 * n) for n in range(20)] + [a_value(value=0, seconds=598)]
    send(app, a_bundle(an_operation(), *rates))
    told = words_of(look(app, f"/{case_id(app)}"))
    assert "the last values were set aside" in told
    assert "73 per minute" not in told


def test_a_case_of_which_every_value_was_set_aside_has_a_page(tmp_path):
    app = an_hospital(tmp_path, "live", at=LATER)
    send(app, a_bundle(an_operation(3600), *(a_value(value=0, seconds=60.0 * n) for n in range(60))))
    told = words_of(look(app, f"/{case_id(app)}"))
    assert "60 values set aside as no measurement of the patient (out of range)" in told
    assert "No score" in told


@pytest.mark.parametrize(("mode", "status"), [("closed-case", 403), ("live", 200)])
def test_of_two_operations_in_one_stay_there_is_no_summary(tmp_path, mode, status):
    app = an_hospital(tmp_path, mode, at=BEGIN + timedelta(hours=9))
    send(app, an_hour())
    again = an_operation(None, id="op2", status="completed", performedPeriod={"start": at(20000), "end": at(23600)})
    send(app, a_bundle(again))
    answer = look(app, f"/{case_id(app)}")
    assert answer.status_code == status
    assert "Two operations are recorded in one stay" in words_of(answer)
    assert "Surgical Apgar Score" not in answer.text


def test_without_a_start_no_value_is_placed_and_the_page_says_why(tmp_path):
    app = an_hospital(tmp_path, "live", during={"device_cleared": CLEARED}, at=DURING)
    send(app, a_bundle(a_value()))
    told = words_of(look(app, f"/{case_id(app)}"))
    assert "The start is not recorded" in told
    assert "No value of any signal is part of this case." in told


def test_what_did_not_fit_is_told(tmp_path):
    app = an_hospital(tmp_path, during={"most_entries": 50}, at=LATER)
    send(app, a_bundle(an_operation(3600)))
    send(app, an_hour())
    told = words_of(look(app, f"/{case_id(app)}"))
    assert "71 values did not fit into this case" in told
    assert told.count("not told (values refused for want of room)") == 3


def test_a_replay_of_an_invented_case_moves_with_the_clock(demo_app):
    http = demo_app.test_client()
    assert "case-pressure" in http.get("/demo/during/").text
    begun = int(datetime.now(UTC).timestamp()) - 40
    fast = http.get(f"/demo/during/case-pressure?speed=60&since={begun}")
    slow = http.get(f"/demo/during/case-pressure?speed=1&since={begun}")
    assert "Mean pressure below 65 mmHg" in words_of(fast)
    assert "None was marked" in words_of(slow)
    assert "Operation under way" in slow.text
    assert http.get("/demo/during/case-pressure?speed=60").status_code == 302
    assert http.get("/demo/during/case-pressure?speed=7").status_code == 404
    over = words_of(http.get(f"/demo/during/case-pressure?speed=60&since={begun - 7200}"))
    assert "After the operation" in over
    assert "of 10 points" in over


@pytest.mark.parametrize(("ahead", "minute", "words"), [(120, "08:13", "120 s earlier"), (-60, "08:16", "60 s later")])
def test_a_clock_that_is_stated_to_be_wrong_is_put_right_and_the_page_says_so(tmp_path, ahead, minute, words):
    offsets = {"Device/m1": ahead, "Device/other": 3600, "https://ehr.example/monitors": 0}
    app = an_hospital(tmp_path, during={"clock_offsets": offsets}, at=LATER)
    of = {"device": {"reference": "Device/m1"}}
    low = [a_value("76214-6", 55 if 15 <= n < 30 else 80, 60.0 * n, **of) for n in range(2, 60)]
    other = [a_value(seconds=60.0 * n, meta={"source": "https://ehr.example/monitors"}) for n in range(60)]
    assert send(app, a_bundle(*low, *other, an_operation(3600))).status_code == 200
    told = words_of(look(app, f"/{case_id(app)}"))
    assert f"{minute} to" in told
    assert f"Times of Device/m1 are told {words} than it stamped them" in told
    assert told.count("than it stamped them") == 1


def test_the_workbench_of_a_demo_links_to_invented_operations(demo_app):
    assert 'href="/demo/during/"' in demo_app.test_client().get("/").text


@pytest.fixture(scope="module")
def demo_app(tmp_path_factory):
    from tests.conformance.conftest import an_app

    return an_app(tmp_path_factory.mktemp("demo"), demo=True)


def test_no_time_below_a_course_is_cut_at_the_edge(closed):
    """The hour ends on a full minute, at the right edge of the picture."""
    ticks = re.findall(
        r'class="course-tick" x="([0-9.]+)" y="180" text-anchor="(\w+)"', look(closed, f"/{case_id(closed)}").text
    )
    assert max(float(x) for x, _ in ticks) > WIDTH - 24
    assert {anchor for x, anchor in ticks if float(x) > WIDTH - 24} == {"end"}


def test_every_column_of_a_case_has_something_in_it_and_every_area_its_unit(tmp_path):
    app = an_hospital(tmp_path, at=LATER)
    send(app, an_hour())
    page = look(app, f"/{case_id(app)}").text
    tables = re.findall(r"<table.*?</table>", page, re.DOTALL)
    assert tables
    for table in tables:
        heads = re.findall(r'<th scope="col">(.*?)</th>', table)
        rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall(r"<tr>(.*?)</tr>", table)[1:]]
        assert [head for at, head in enumerate(heads) if not any(row[at] for row in rows)] == []
    areas = re.findall(r"area [^;<]*", page)
    assert areas
    assert all(re.fullmatch(r"area [\d.]+ (mmHg|%|°C) × min", area) for area in areas), areas


def test_the_number_of_a_limit_stands_above_the_curve(tmp_path):
    app = an_hospital(tmp_path, at=LATER)
    send(app, an_hour())
    pictures = re.findall(r'<svg class="course".*?</svg>', look(app, f"/{case_id(app)}").text)
    noted = [one for one in pictures if "course-note" in one]
    assert noted
    assert all(one.index("course-note") > one.index("course-line") for one in noted)


def test_where_nothing_is_shown_yet_there_is_a_way_back_to_the_other_operations(tmp_path):
    app = an_hospital(tmp_path, at=DURING)
    send(app, an_hour(ended=False))
    page = look(app, f"/{case_id(app)}")
    assert page.status_code == 403
    assert re.search(r'<a href="[^"]*/during/general-hospital">Other operations</a>', page.text)
