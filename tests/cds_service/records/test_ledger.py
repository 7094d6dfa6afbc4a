"""What died with a killed worker is counted by whoever starts next, once."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from sqlalchemy import select

from cds_service.records import ledger, tables

KILLED = """
import os, signal, sys
from pathlib import Path
from cds_service.records.ledger import Ledger
book = Ledger(Path(sys.argv[1]))
for _ in range(7): book.take()
book.settle(4)
print("counted", flush=True)
signal.pause()
"""


def kill_a_worker(folder: Path) -> None:
    worker = subprocess.Popen([sys.executable, "-c", KILLED, str(folder)], stdout=subprocess.PIPE)
    with worker:
        assert worker.stdout.readline() == b"counted\n"
        assert list(ledger.lost_by_the_dead(folder)) == []
        os.kill(worker.pid, signal.SIGKILL)


def test_what_a_killed_worker_had_not_written_is_told_once(tmp_path):
    kill_a_worker(tmp_path)
    assert list(ledger.lost_by_the_dead(tmp_path)) == [3]
    assert list(ledger.lost_by_the_dead(tmp_path)) == []


def test_the_next_start_writes_the_loss_down(tmp_path, open_records):
    kill_a_worker(tmp_path / "ledgers")
    records = open_records()
    with records.durable.connect() as connection:
        assert connection.execute(select(tables.loss.c.evaluations, tables.loss.c.cause)).all() == [(3, "killed")]


def test_a_worker_that_ends_in_order_leaves_nothing_behind(tmp_path):
    book = ledger.Ledger(tmp_path)
    book.take()
    assert book.open == 1
    book.settle(1)
    book.close()
    assert list(tmp_path.iterdir()) == []
