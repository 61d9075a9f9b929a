"""A short soak: nothing is doubled, invented, leaked or missed without a reason."""

import os
from pathlib import Path
import subprocess
import sys

ROOT = Path(__file__).parents[2]


def test_short_soak_reports_every_roam_once_and_leaks_nothing() -> None:
    # In a process of its own, because the virtual clock replaces that of the whole process.
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
