"""The cards that a worker showed last, which are still being written: an order is edited faster than that."""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import datetime

from cds_service.records.rows import EvaluationRow

MOST = 2_000  # as many as may wait to be written; the keys are a tenant's id and a digest


class Recent:
    """By tenant and key, the uuid of the card and when it was shown; the oldest is forgotten first."""

    def __init__(self) -> None:
        self._cards: OrderedDict[tuple[str, str], tuple[str, datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, row: EvaluationRow) -> None:
        """Remember what the row showed, if it showed a card for the first time."""
        if row.dedupe_key is None or not any(card.shown for card in row.cards):
            return
        with self._lock:
            self._cards[row.tenant_id, row.dedupe_key] = row.cards[0].uuid, row.received_at
            while len(self._cards) > MOST:
                self._cards.popitem(last=False)

    def find(self, tenant_id: str, dedupe_key: str, since: datetime) -> str | None:
        """The card of this key, if it was shown since then."""
        with self._lock:
            uuid, at = self._cards.get((tenant_id, dedupe_key), (None, since))
        return uuid if at >= since else None
