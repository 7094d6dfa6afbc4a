"""Write the agreed card of each dialect: `python -m tests.cds_service.cards.write_golden`. Read, then commit."""

from __future__ import annotations

import json

from cds_service.cards.dialects import DIALECTS
from tests.cds_service.advice import people
from tests.cds_service.cards.test_dialects import EPIC_CODES, GOLDEN, a_card


def main() -> None:
    """One file per dialect."""
    GOLDEN.mkdir(exist_ok=True)
    for name in DIALECTS:
        card = people.without_uuids(a_card(name, EPIC_CODES if name == "epic" else people.CODES))
        (GOLDEN / f"{name}.json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
