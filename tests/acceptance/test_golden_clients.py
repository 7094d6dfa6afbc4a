"""What each reference client is answered is as it was agreed; docs/testing.md names every held response."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance import golden_clients
from tests.acceptance.golden_clients import CLIENTS, FOLDER
from tests.conformance import client_exchanges

TABLE = Path(__file__).parents[2] / "docs" / "testing.md"


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return {client: golden_clients.answered(client, tmp_path_factory.mktemp(client)) for client in CLIENTS}


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_is_answered_as_it_was_agreed(answered: dict[str, Any], client: str) -> None:
    agreed = json.loads(golden_clients.path_of(client).read_text(encoding="utf-8"))
    assert answered[client] == agreed


@pytest.mark.parametrize("client", CLIENTS)
def test_every_client_that_sends_an_operation_is_shown_a_card(answered: dict[str, Any], client: str) -> None:
    shown = [step for step in answered[client] if step["answer"].get("cards")]
    assert shown
    assert {step["status"] for step in shown} == {200}


def test_the_table_names_each_held_response_with_what_it_belongs_to() -> None:
    section = TABLE.read_text(encoding="utf-8").partition("## Golden responses\n")[2].partition("\n## ")[0]
    named = re.findall(r"^\| `([\w-]+\.json)` \|", section, re.MULTILINE)
    assert sorted(named) == sorted(path.name for path in FOLDER.glob("*.json"))
    for exchanges in client_exchanges.recorded().values():
        assert {one.client for one in exchanges} == {exchanges[0].client}
        assert exchanges[0].client in section
