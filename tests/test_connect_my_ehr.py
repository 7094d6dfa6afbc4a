"""docs/connect-my-ehr.md, done as it is written against two services that run; and its tables hold what there is."""

from __future__ import annotations

import json
import re
import shutil
import stat
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from cds_service.advice.silence import WORDS
from tests.as_written import ROOT, Reader

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="the page calls with curl")
PAGE = (ROOT / "docs" / "connect-my-ehr.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    reader = Reader("connect-my-ehr.md", tmp_path_factory.mktemp("reader"))
    with reader.follows():
        yield reader


def test_the_key_is_the_readers_alone_and_its_public_half_stands_in_the_file(done: Reader) -> None:
    assert stat.S_IMODE((done.folder / "test-key.json").stat().st_mode) == 0o600
    (client,) = yaml.safe_load((done.folder / "tenants" / "example.yaml").read_text())["clients"]
    assert client["jwks"] == json.loads((done.folder / "test-jwks.json").read_text())
    assert "d" not in client["jwks"]["keys"][0]


def test_every_server_is_asked_and_nothing_fails(done: Reader) -> None:
    told = done.told("--walk").output
    assert "FAIL" not in told
    assert re.search(r"ok +walk: .*FHIR 4\.0\.1", told)
    assert re.search(r"ok +walk: .*searches answered: patient, conditions, labs", told)


def test_the_templates_to_paste_are_percent_encoded(done: Reader) -> None:
    lines = dict(line.split(" ", 1) for line in done.told("discovery.json").output.splitlines())
    assert lines["patient"] == "Patient/{{context.patientId}}"
    assert "http%3A%2F%2Floinc.org%7C718-7" in lines["labs"]
    assert [key for key, template in lines.items() if "://" in template or "|" in template] == []


def test_a_listed_origin_may_call(done: Reader) -> None:
    assert "Access-Control-Allow-Origin: http://127.0.0.1:8080" in done.told("OPTIONS").output


def test_the_order_gets_a_card_by_curl_and_by_our_own_caller(done: Reader) -> None:
    answer = json.loads(done.told("json.tool answer.json").output)
    (card,) = answer["cards"]
    assert "after spinal fusion" in card["summary"]
    assert card["summary"] in done.told("cds-service call").output


def answers(printed: str) -> list[tuple[int, dict[str, Any]]]:
    """Each answer that was printed with the status behind it."""
    lines = [line for line in printed.splitlines() if line]
    return [(int(status), json.loads(body)) for body, status in zip(lines[::2], lines[1::2], strict=True)]


def test_a_patient_who_cannot_be_had_is_412_and_the_key_is_named(done: Reader) -> None:
    ((status, told),) = answers(done.told("unknown-patient.json").output)
    assert status == 412
    assert "prefetch key 'patient'" in told["issue"][0]["diagnostics"]


def test_a_context_without_its_user_and_an_order_of_another_patient_are_422(done: Reader) -> None:
    without, other = answers(done.told("without-user.json").output)
    assert (without[0], other[0]) == (422, 422)
    assert "userId" in without[1]["issue"][0]["diagnostics"]
    assert "another patient" in other[1]["issue"][0]["details"]["text"]


def test_a_client_of_another_hospital_is_403_and_one_whose_keys_cannot_be_had_503(done: Reader) -> None:
    let_in, closed, away = answers(done.told("sh send.sh order.json others/closed.yaml").output)
    assert (let_in[0], closed[0], away[0]) == (412, 403, 503)
    log = (done.folder / "state-8002" / "log").read_text()
    assert re.findall(r'"event":"answered".*"status":(\d+)', log) == ["412", "403", "503"]
    assert {told["resourceType"] for _, told in (closed, away)} == {"OperationOutcome"}


def test_every_status_of_the_table_is_shown_by_a_command(done: Reader) -> None:
    section = PAGE[PAGE.index("## 7. ") : PAGE.index("## 8. ")]
    told = set(re.findall(r"^\| (\d{3}) \|", section, re.MULTILINE))
    shown = {line for printed in done.printed.values() for line in printed.output.split() if line in told}
    assert told == shown == {"401", "403", "412", "422", "503"}


def test_a_token_is_good_once(done: Reader) -> None:
    assert done.told("for time in first second").output.split() == ["200", "401"]
    (log,) = [path.read_text() for path in done.folder.glob("state-8000/log")]
    assert '"reason":"replay"' in log


def test_every_reason_of_silence_is_told() -> None:
    section = PAGE[PAGE.index("## 8. ") :]
    told = [
        word for row in re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE) for word in re.findall(r"`([\w-]+)`", row)
    ]
    assert sorted(told) == sorted(WORDS)


def test_every_word_of_a_refused_token_is_told() -> None:
    source = (ROOT / "cds_service" / "trust" / "client_jwt.py").read_text(encoding="utf-8")
    raised = set(re.findall(r'_Refusal\("([\w-]+)"\)|_text\(\w+(?:\.\w+)?, "(\w+)"\)', source))
    words = {one or other for one, other in raised}
    section = PAGE[PAGE.index("| word of a 401") : PAGE.index("Send the same token")]
    told = [
        word for row in re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE) for word in re.findall(r"`([\w-]+)`", row)
    ]
    assert sorted(told) == sorted(words)
