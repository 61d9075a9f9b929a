"""The soak in short: nothing doubled, invented, leaked or missed without a reason."""

import os
from pathlib import Path
import subprocess
import sys

ROOT = Path(__file__).parents[2]


def test_short_soak_reports_every_roam_once_and_leaks_nothing() -> None:
    # A process of its own: the clock of the whole process is a virtual one.
    soak = subprocess.run(
        (sys.executable, "-m", "tests.soak", "--roams", "100"),
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
        timeout=55,
    )
    assert soak.returncode == 0, soak.stdout + soak.stderr
