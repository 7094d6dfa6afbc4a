"""What a worker remembers of cases: the same as what is kept, bounded, forgotten; a page that is late says so."""

import contextlib
import random
import sys
import threading
import time
import tracemalloc

import msgspec
import pytest

from cds_service.during import case_memory, case_view
from cds_service.during.case_memory import CaseMemory, CasesBusyError
from cds_service.records.case_reading import CaseReading, ReadPart
from cds_service.records.during_cases import Arrival, CaseBounds, CaseKey, DuringCases, Part
from cds_service.records.tables import metadata
from cds_service.web.app import CASES, RECORDS
from fhir_mappings.during.entries import read_entry
from tests.cds_service.during.hospitals import a_bundle, a_value, an_hospital, an_hour, an_operation, send
from tests.cds_service.during.test_case_pages import DURING, case_id, look, words_of
from tests.fhir_mappings.during.observed import BEGIN, HEART_RATE, MAP_CUFF, READER, observation

TENANT = "general-hospital"
ROOM = CaseBounds(cases=10, entries=100_000, bytes=10**9)
FROM_US = Arrival("post", "https://ehr.example", BEGIN)


@pytest.fixture
def engine(tmp_path):
    from cds_service.records import database

    engine = database.connect(f"sqlite:///{tmp_path}/r.sqlite3", durable=False, connections=4)
    metadata.create_all(engine)
    yield engine
    engine.dispose()


def a_part(number, version=1, **members):
    unit = {HEART_RATE: "/min", MAP_CUFF: "mm[Hg]"}
    code = members.pop("code", HEART_RATE)
    meta = {"versionId": str(version)} if version else None
    told = {"id": f"o{number}", "meta": meta, **members}
    raw = observation(code, 60 + version, unit[code], seconds=number, **told)
    return Part("observation", msgspec.json.encode(read_entry(raw, READER)).decode())


def some_parts():
    """Versions that follow each other, that cannot be told apart, that are withdrawn; names of any letters; times."""
    parts = [a_part(number, version) for number in range(25) for version in range(3)]
    parts += [a_part(1000 + number, 0, status=status) for number in range(5) for status in ("final", "preliminary")]
    parts += [a_part(number, 3, status="entered-in-error") for number in range(4)]
    parts += [
        a_part(n, device={"reference": f"Device/{n % 2}"}, id=f'{n}"é\\ !{n % 3}', code=MAP_CUFF) for n in range(9)
    ]
    operation = msgspec.json.encode(an_operation()).decode()
    return [*parts, Part("times", operation), Part("birth", '{"resourceType":"Patient","id":"p1"}')]


@pytest.mark.parametrize("seed", range(6))
def test_what_is_remembered_is_what_is_kept_however_it_came(engine, seed):
    drawn, cases, memory = random.Random(seed), DuringCases(engine), CaseMemory(CaseReading(engine))
    keys = [CaseKey(TENANT, "p1", encounter) for encounter in ("e1", "")]
    sent = [(drawn.choice(keys), part) for part in some_parts()] + [(keys[1], part) for part in some_parts()[:9]]
    drawn.shuffle(sent)
    cases.keep(keys[0], [], ROOM, FROM_US)
    (found,) = cases.of_tenant(TENANT)
    while sent:
        key, parcel = sent[0][0], [sent.pop(0)[1] for _ in range(min(len(sent), drawn.choice((1, 3, 40))))]
        cases.keep(key, parcel, ROOM, FROM_US)
        if drawn.random() < 0.7:
            with memory.of(found) as held:
                assert is_as_kept(held, cases, look_at=drawn.random() < 0.7)
    with memory.of(found) as held:
        assert is_as_kept(held, cases)


def is_as_kept(held, cases, *, look_at=True):
    content = cases.content(next(one for one in cases.of_tenant(TENANT) if one.key.encounter_id))
    same = (held.content.times, held.content.births, held.content.refused)
    assert same == (content.times, content.births, content.refused)
    return not look_at or held.entries() == case_view.entries_of(content)


def test_a_case_that_lost_something_is_read_anew(engine):
    cases, memory = DuringCases(engine), CaseMemory(CaseReading(engine))
    cases.keep(CaseKey(TENANT, "p1", "e1"), [a_part(number) for number in range(9)], ROOM, FROM_US)
    (found,) = cases.of_tenant(TENANT)
    with memory.of(found) as held:
        assert len(held.entries()) == 9
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM during_entry WHERE body LIKE '%\"o3\"%'")
        connection.exec_driver_sql("UPDATE during_case SET entries = 8")
    with memory.of(found) as held:
        assert len(held.entries()) == 8


def test_nothing_is_read_again_of_a_case_of_which_nothing_came(engine, monkeypatch):
    cases, memory = DuringCases(engine), CaseMemory(CaseReading(engine))
    cases.keep(CaseKey(TENANT, "p1", "e1"), [a_part(number) for number in range(9)], ROOM, FROM_US)
    (found,) = cases.of_tenant(TENANT)
    read = []
    monkeypatch.setattr(case_memory.HeldCase, "take", lambda _, part: read.append(part))
    for _ in range(3):
        with memory.of(found):
            pass
    assert len(read) == 9


def test_what_is_counted_of_a_case_is_no_less_than_it_takes():
    parts = [ReadPart(bytes(28) + n.to_bytes(4, "big"), "observation", a_part(n).body, False) for n in range(5_000)]
    tracemalloc.start()
    held = case_memory.HeldCase(TENANT)
    for part in parts:
        held.take(ReadPart(bytes(bytearray(part.digest)), part.kind, part.body, False))
    held.entries()
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken < held.size < 2 * taken


def test_what_has_no_room_is_shown_and_not_remembered_and_pushes_nobody_out(engine):
    cases = DuringCases(engine)
    memory = CaseMemory(CaseReading(engine), most_bytes=30_000)
    for patient, count in (("p1", 30), ("p2", 30), ("p3", 300)):
        cases.keep(CaseKey(TENANT, patient, "e" + patient), [a_part(n) for n in range(count)], ROOM, FROM_US)
    for _ in range(2):
        for found in cases.of_tenant(TENANT):
            with memory.of(found) as held:
                assert len(held.entries()) == found.entries
            assert memory.size <= 30_000
    assert memory.size > 20_000


def test_a_case_that_nobody_looks_at_is_forgotten(engine):
    cases, memory = DuringCases(engine), CaseMemory(CaseReading(engine), unseen_s=0.1)
    cases.keep(CaseKey(TENANT, "p1", "e1"), [a_part(1)], ROOM, FROM_US)
    with memory.of(cases.of_tenant(TENANT)[0]):
        assert memory.size
    until = time.monotonic() + 10
    while memory.size and time.monotonic() < until:
        time.sleep(0.05)
    assert memory.size == 0


def test_where_a_page_is_being_made_the_last_one_is_at_hand(engine):
    cases, memory = DuringCases(engine), CaseMemory(CaseReading(engine), wait_s=0.05)
    cases.keep(CaseKey(TENANT, "p1", "e1"), [a_part(1)], ROOM, FROM_US)
    (found,) = cases.of_tenant(TENANT)
    for told in (None, {"as_of": "10:00"}):
        with memory.of(found) as held, pytest.raises(CasesBusyError) as busy:
            in_another_thread(lambda: memory.of(found).__enter__())
        assert (busy.value.last and busy.value.last.values) == told
        with memory.of(found) as held:
            held.told(BEGIN, lambda: {"as_of": "10:00"})


def test_while_a_page_is_made_others_need_not_wait_for_the_interpreter(engine):
    cases, memory, usual = DuringCases(engine), CaseMemory(CaseReading(engine)), sys.getswitchinterval()
    cases.keep(CaseKey(TENANT, "p1", "e1"), [a_part(1)], ROOM, FROM_US)
    with contextlib.suppress(ValueError), memory.of(cases.of_tenant(TENANT)[0]):
        assert sys.getswitchinterval() < usual / 4
        raise ValueError
    assert sys.getswitchinterval() == pytest.approx(usual)


@pytest.mark.parametrize(("share", "renew_s"), [(0.0, 1), (0.2, 1), (0.4, 2), (0.7, 4), (3.0, 4)])
def test_a_worker_that_makes_pages_all_the_time_has_them_renewed_less_often(engine, monkeypatch, share, renew_s):
    now = [1_000.0]
    monkeypatch.setattr(case_memory.time, "monotonic", lambda: now[0])
    cases, memory = DuringCases(engine), CaseMemory(CaseReading(engine))
    cases.keep(CaseKey(TENANT, "p1", "e1"), [a_part(1)], ROOM, FROM_US)
    (found,) = cases.of_tenant(TENANT)
    for _ in range(120):  # seconds, in each of which pages are made for so long
        with memory.of(found):
            now[0] += share
        now[0] += max(0.0, 1 - share)
    assert memory.renew_s == renew_s
    now[0] += 120
    assert memory.renew_s == 1


def in_another_thread(work):
    raised = []

    def run():
        try:
            work()
        except CasesBusyError as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    raise raised[0]


@pytest.fixture
def live(tmp_path):
    app = an_hospital(tmp_path, "live", at=DURING)
    send(app, an_hour(ended=False))
    return app


def test_what_was_told_a_moment_ago_is_told_again_until_something_comes(live, monkeypatch):
    made, view = [], case_view.view
    monkeypatch.setattr(case_view, "view", lambda *args, **named: made.append(1) or view(*args, **named))
    pages = [look(live, f"/{case_id(live)}").text for _ in range(3)]
    assert len(made) == 1
    assert len(set(pages)) == 1
    send(live, a_bundle(a_value(value=123, seconds=59 * 60 + 1)))
    assert "123 per minute" in words_of(look(live, f"/{case_id(live)}"))
    assert len(made) == 2


def test_a_page_that_is_late_says_how_old_it_is_and_one_that_was_never_made_is_asked_for_again(live):
    path = f"/{case_id(live)}"
    first = look(live, path, headers=None)
    assert first.status_code == 200
    with live.extensions[CASES]._making:
        late = look(live, path)
        live.extensions[CASES].forget(TENANT)
        never = look(live, path)
    assert "Other pages are being made: this one is as it was 0 s ago." in words_of(late)
    assert (never.status_code, never.headers["Refresh"]) == (503, "1")


def test_of_a_case_that_was_removed_nothing_is_remembered(live):
    memory, records, path = live.extensions[CASES], live.extensions[RECORDS], f"/{case_id(live)}"
    look(live, path)
    assert memory.size
    with records.durable.begin() as connection:
        for table in ("during_arrival", "during_entry", "during_case"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
    assert look(live, path).status_code == 404
    assert memory.size == 0


def test_a_tenant_of_which_nothing_may_be_shown_is_forgotten(live, monkeypatch):
    memory, path = live.extensions[CASES], f"/{case_id(live)}"
    look(live, path)
    assert memory.size
    monkeypatch.setattr("cds_service.answering.gate.is_open_to_all", lambda *_: False)
    assert look(live, path).status_code == 404
    assert memory.size == 0
