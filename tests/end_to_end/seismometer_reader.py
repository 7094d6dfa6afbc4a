"""Epic's Seismometer, in a virtual environment of its own: what it reads of a folder, as it reads it."""

from __future__ import annotations

import json
import subprocess
import venv
from pathlib import Path
from typing import Any

from tests.end_to_end import servers

VERSION = "0.5.0"
_INSTALL_S = 900
_RUN_S = 120
_READ = """
import json, sys
from seismometer.configuration import ConfigProvider
from seismometer.data.loader import loader_factory
from seismometer.data.performance import calculate_bin_stats, calculate_eval_ci
from seismometer.seismogram import Seismogram

config = ConfigProvider("config.yml")
sg = Seismogram(config, loader_factory(config))
sg.load_data()
frame, found = sg.dataframe, {}
for cohort in sg.cohort_cols:
    for value in frame[cohort].cat.categories:
        of = frame[frame[cohort] == value]
        told = calculate_eval_ci(calculate_bin_stats(of[sg.target], of[sg.output]), of[sg.target], of[sg.output])
        found[f"{cohort}: {value}"] = [len(of), float(of[sg.target].sum()), float(told["roc"]["interval"].value)]
json.dump(found, sys.stdout)
"""


def _python() -> Path:
    """The interpreter of its environment, made once."""
    home = servers.BUILD / f"seismometer-{VERSION}"
    if not (home / ".installed").exists():
        venv.create(home, with_pip=True, clear=True)
        command = [home / "bin" / "pip", "install", "--quiet", f"seismometer=={VERSION}"]
        subprocess.run(command, check=True, timeout=_INSTALL_S)
        (home / ".installed").touch()
    return home / "bin" / "python"


def aurocs(folder: Path) -> dict[str, tuple[int, int, float]]:
    """By cohort how many operations and events it counts, and the AUROC that it prints beside its curve."""
    command = [str(_python()), "-c", _READ]
    done = subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True, timeout=_RUN_S)
    assert done.returncode == 0, done.stderr[-4000:]
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {name: (int(n), int(events), float(auroc)) for name, (n, events, auroc) in told.items()}
