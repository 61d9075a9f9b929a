"""A short soak, which also proves that a seed repeats a run, alone and after others."""

import os
from pathlib import Path
import subprocess
import sys

import orjson

ROOT = Path(__file__).parents[2]
SHORT = (
    "faults-log",
    "steady",
    "records",
    "outage-60s-log",
    "half-open",
    "reload",
    "clock-forward",
    "old-record",
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


def test_short_soak_reaches_every_bar_and_repeats_a_run_exactly(tmp_path: Path) -> None:
    together, alone = tmp_path / "together", tmp_path / "alone"
    names = [part for name in (*SHORT, SHORT[0]) for part in ("--situation", name)]
    result = soak(*names, "--roams", "100", "--jobs", "0", "--json", str(together))
    assert result.returncode == 0, result.stdout + result.stderr
    soak("--situation", SHORT[0], "--roams", "100", "--json", str(alone))
    first, *others, again = orjson.loads(together.read_bytes())
    # With every report and its times.
    assert first["reports"]
    assert [first] == [again] == orjson.loads(alone.read_bytes())
    assert first not in others
