"""scripts/replay replays a capture and compares its events with the recorded ones."""

from collections.abc import Callable
import json
from pathlib import Path
import subprocess
import sys
from typing import Any

import pytest

from tests.replay.command import main
from tests.replay.synthetic import RecordedSite

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def capture() -> dict[str, Any]:
    site = RecordedSite()
    site.run(200)
    exported: dict[str, Any] = json.loads(json.dumps(site.recorder.export()))
    return exported


@pytest.fixture
def write(tmp_path: Path) -> Callable[[object], str]:
    """Return a function that writes a file and returns its path."""

    def write(document: object) -> str:
        path = tmp_path / "capture.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return str(path)

    return write


def test_replay_prints_the_events_and_that_they_match_the_recording(
    capture: dict[str, Any], write: Callable[[object], str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([write(capture)]) == 0
    *events, summary = capsys.readouterr().out.splitlines()
    assert summary == f"{len(capture['events'])} events, the same as recorded"
    assert len(events) == len(capture["events"]) > 5
    for line, event in zip(events, capture["events"], strict=True):
        assert f" {event['kind']} mac={event['mac']} " in line


def test_replay_reads_the_capture_in_downloaded_diagnostics(
    capture: dict[str, Any], write: Callable[[object], str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([write({"home_assistant": {}, "data": {"capture": capture}})]) == 0
    assert "the same as recorded" in capsys.readouterr().out


def test_replay_prints_the_differences_from_the_recorded_events(
    capture: dict[str, Any], write: Callable[[object], str], capsys: pytest.CaptureFixture[str]
) -> None:
    first, *others = capture["events"]
    assert main([write({**capture, "events": [{**first, "signal": -1}, *others]})]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len([line for line in lines if line.startswith("- ") and "signal=-1" in line]) == 1
    assert len([line for line in lines if line.startswith("+ ")]) == 1
    count = len(capture["events"])
    assert lines[-1] == f"{count} events, different from the {count} recorded ones"

    assert main([write({**capture, "events": [*others, first]})]) == 1
    assert "in a different order" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("document", "error"),
    [
        ("{", "is not valid JSON"),
        ([], "contains no capture"),
        ({}, "contains no capture"),
        ({"home_assistant": {}, "data": {"state": "setup_retry"}}, "contains no capture"),
        ({"format": 99}, "has format 99"),
        ({"format": 3}, "is a broken capture"),
        ({"format": 3, "state": {"memory": None, "clients": []}}, "is a broken capture"),
        ({"format": 3, "state": []}, "is a broken capture"),
    ],
)
def test_replay_reports_a_bad_file_in_one_line(
    document: object,
    error: str,
    write: Callable[[object], str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = write(document)
    assert main([path]) == 2
    output = capsys.readouterr()
    (line,) = output.err.splitlines()
    assert line.startswith(f"error: {path} {error}")
    assert output.out == ""


def test_replay_reports_any_broken_part_of_a_capture(
    capture: dict[str, Any], write: Callable[[object], str], capsys: pytest.CaptureFixture[str]
) -> None:
    for key in ("state", "devices", "entries", "events"):
        assert main([write({**capture, key: 7})]) == 2, key
        assert len(capsys.readouterr().err.splitlines()) == 1
    for entry in ({}, 7, {"at": "now", "do": "observe"}, {"at": 1, "do": "observe", "rows": [{}]}):
        assert main([write({**capture, "entries": [entry]})]) == 2, entry
        assert len(capsys.readouterr().err.splitlines()) == 1


def test_replay_reports_a_missing_file_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "nothing.json")]) == 2
    assert capsys.readouterr().err == (
        f"error: {tmp_path / 'nothing.json'} cannot be read: No such file or directory\n"
    )


def test_replay_through_the_whole_integration_gives_the_same_bus_events(
    write: Callable[[object], str],
) -> None:
    site = RecordedSite(seed=5)
    site.run(120)
    replay = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "tests.replay", write(site.recorder.export()), "--hass"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert replay.returncode == 0, replay.stdout + replay.stderr
    assert replay.stdout.endswith(f"{len(site.events)} events, the same as recorded\n")


def test_the_replay_script_is_executable() -> None:
    assert (ROOT / "scripts/replay").stat().st_mode & 0o100
