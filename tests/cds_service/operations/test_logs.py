"""Logs hold listed fields and plain words only, whoever writes them."""

import io
import json
import logging
import threading

import pytest
import structlog

from cds_service.operations import logs


@pytest.fixture
def written():
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    out = io.StringIO()
    logs.configure(out)
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    root.handlers[:], root.level = before
    structlog.reset_defaults()


def test_a_field_that_is_not_listed_is_not_written(written):
    logs.note("answered", tenant="t", patient="canary", status=200)
    (entry,) = written()
    assert {name: entry[name] for name in ("event", "tenant", "status")} == {
        "event": "answered",
        "tenant": "t",
        "status": 200,
    }
    assert "patient" not in entry


@pytest.mark.parametrize("value", ["line\nbreak", '{"a": 1}', "x" * 300, {"a": 1}, ["a"], b"bytes", "Müller"])
def test_a_value_that_is_no_plain_word_is_not_written(written, value):
    logs.note("answered", reason=value)
    assert written()[0]["reason"] == "?"


def test_only_a_sentence_that_is_marked_as_our_own_is_written(written):
    logs.note("order-codes", told=logs.OwnWords("CPT: 0 codes; orders in CPT get no answer"))
    logs.note("order-codes", told="Mr Smith; has a tumour")
    logs.note("order-codes", told=logs.OwnWords("x" * 9_000))
    assert [entry["told"] for entry in written()] == ["CPT: 0 codes; orders in CPT get no answer", "?", "x" * 2_000]


def test_of_a_library_only_name_and_level_are_written(written):
    logging.getLogger("urllib3").warning("GET /Patient/canary failed")
    (entry,) = written()
    assert (entry["logger"], entry["level"], entry["told"]) == ("urllib3", "warning", None)
    assert "canary" not in str(entry)


def test_gunicorn_is_told_of_its_workers_and_never_of_a_request(written):
    log = logging.getLogger("gunicorn.error")
    log.critical("WORKER TIMEOUT (pid:%s)", 7)
    log.warning("Invalid request from ip=10.0.0.1: Invalid HTTP request line: 'GET /Patient/canary'")
    try:
        raise ValueError("canary")
    except ValueError:
        log.exception("Error handling request %s", "/Patient/canary")
    timeout, invalid, failed = written()
    assert (timeout["level"], timeout["told"]) == ("critical", "WORKER TIMEOUT (pid:7)")
    assert (invalid["told"], failed["told"], failed["error"]) == (None, None, "ValueError")
    assert failed["at"].startswith("test_logs.py:")
    assert "canary" not in str([timeout, invalid, failed])


def test_what_a_thread_ends_with_is_a_line_too(written, monkeypatch):
    for name in ("threading.excepthook", "sys.excepthook", "sys.unraisablehook"):
        monkeypatch.setattr(name, None)
    logs.catch_the_rest()
    logging.captureWarnings(False)

    def fails():
        raise ValueError("canary")

    thread = threading.Thread(target=fails)
    thread.start()
    thread.join()
    (entry,) = written()
    assert (entry["event"], entry["error"]) == ("incident", "ValueError")
    assert "canary" not in str(entry)


def test_an_error_is_told_by_its_place_and_never_by_its_message():
    with pytest.raises(ValueError, match="canary") as raised:
        raise ValueError("canary")
    place = logs.where(raised.value)
    assert place.startswith("test_logs.py:")
    assert "canary" not in place
