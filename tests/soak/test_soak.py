"""A short soak, and proof that a seed repeats a run exactly."""

from collections.abc import Iterable
import os
from pathlib import Path
import subprocess
import sys
from typing import Any

import orjson

ROOT = Path(__file__).parents[2]
SHORT = (
    "steady",
    "records",
    "outage-60s-log",
    "outage-60s",
    "half-open",
    "reload",
    "clock-forward",
    "old-record",
    "faults",
    "faults-log",
    "faults-records",
)


def soak(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the soak in a process of its own, because it replaces the clocks of the process."""
    return subprocess.run(  # noqa: S603 - runs our own module
        (sys.executable, "-m", "tests.soak", "--stay", "60", "--seed", "1", *arguments),
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
        timeout=55,
    )


def names(situations: Iterable[str]) -> list[str]:
    return [part for name in situations for part in ("--situation", name)]


def test_short_soak_reaches_the_bar_in_every_situation() -> None:
    result = soak(*names(SHORT), "--roams", "150", "--jobs", "0")
    assert result.returncode == 0, result.stdout + result.stderr


def outcomes(file: Path, *situations: str, jobs: int) -> list[dict[str, Any]]:
    result = soak(*names(situations), "--roams", "60", "--jobs", str(jobs), "--json", str(file))
    assert file.exists(), result.stdout + result.stderr
    found: list[dict[str, Any]] = orjson.loads(file.read_bytes())
    return found


def test_soak_seed_repeats_a_run_exactly_alone_and_after_another_one(tmp_path: Path) -> None:
    alone = outcomes(tmp_path / "alone", "faults-log", jobs=1)
    again = outcomes(tmp_path / "again", "faults-log", "records", "faults-log", jobs=0)
    # With every report and its times.
    assert alone[0]["reports"]
    assert again[0] == alone[0]
    assert again[2] == alone[0]
    assert again[1] != alone[0]
