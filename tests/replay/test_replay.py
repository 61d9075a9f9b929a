"""A capture from a bug report is played again by one command, which says what it thinks of it."""

from collections.abc import Callable
import json
from pathlib import Path
import subprocess
import sys
from typing import Any

import pytest

from tests.replay.command import main
from tests.replay.synthetic import Life

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def capture() -> dict[str, Any]:
    life = Life()
    life.live(200)
    exported: dict[str, Any] = json.loads(json.dumps(life.recorder.export()))
    return exported


@pytest.fixture
def write(tmp_path: Path) -> Callable[[object], str]:
    """Return what writes a file and tells its path."""

    def write(document: object) -> str:
        path = tmp_path / "capture.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return str(path)

    return write


def test_events_are_printed_and_that_they_are_the_same(
    capture: dict[str, Any], write: Callable[[object], str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([write(capture)]) == 0
    *events, verdict = capsys.readouterr().out.splitlines()
    assert verdict == f"{len(capture['events'])} events, just as they were told then"
    assert len(events) == len(capture["events"]) > 5
    for line, event in zip(events, capture["events"], strict=True):
        assert f" {event['kind']} mac={event['mac']} " in line


def test_a_download_of_diagnostics_holds_one_too(
    capture: dict[str, Any], write: Callable[[object], str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([write({"home_assistant": {}, "data": {"capture": capture}})]) == 0
    assert "just as they were told" in capsys.readouterr().out


def test_what_is_told_otherwise_is_shown(
    capture: dict[str, Any], write: Callable[[object], str], capsys: pytest.CaptureFixture[str]
) -> None:
    first, *others = capture["events"]
    assert main([write({**capture, "events": [{**first, "signal": -1}, *others]})]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len([line for line in lines if line.startswith("- ") and "signal=-1" in line]) == 1
    assert len([line for line in lines if line.startswith("+ ")]) == 1
    assert lines[-1].endswith("not the same")

    assert main([write({**capture, "events": [*others, first]})]) == 1
    assert "in another order" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ("{", "is no JSON"),
        ([], "holds no capture"),
        ({}, "holds no capture"),
        ({"home_assistant": {}, "data": {"state": "setup_retry"}}, "holds no capture"),
        ({"format": 99}, "has the format 99"),
        ({"format": 2}, "is a broken capture"),
        ({"format": 2, "state": {"memory": None, "clients": []}}, "is a broken capture"),
        ({"format": 2, "state": []}, "is a broken capture"),
    ],
)
def test_a_bad_file_is_named_in_a_line(
    document: object,
    complaint: str,
    write: Callable[[object], str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = write(document)
    assert main([path]) == 2
    output = capsys.readouterr()
    (line,) = output.err.splitlines()
    assert line.startswith(f"error: {path} {complaint}")
    assert output.out == ""


def test_no_part_of_a_capture_can_be_broken_without_a_word(
    capture: dict[str, Any], write: Callable[[object], str], capsys: pytest.CaptureFixture[str]
) -> None:
    for key in ("state", "devices", "entries", "events"):
        assert main([write({**capture, key: 7})]) == 2, key
        assert len(capsys.readouterr().err.splitlines()) == 1
    for entry in ({}, 7, {"at": "now", "do": "observe"}, {"at": 1, "do": "observe", "rows": [{}]}):
        assert main([write({**capture, "entries": [entry]})]) == 2, entry
        assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_file_that_is_not_there_is_named_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "nothing.json")]) == 2
    assert capsys.readouterr().err == (
        f"error: {tmp_path / 'nothing.json'} cannot be read: No such file or directory\n"
    )


def test_the_whole_integration_tells_the_same_on_the_bus(
    write: Callable[[object], str],
) -> None:
    life = Life(seed=5)
    life.live(120)
    replay = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "tests.replay", write(life.recorder.export()), "--hass"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert replay.returncode == 0, replay.stdout + replay.stderr
    assert replay.stdout.endswith(f"{len(life.told)} events, just as they were told then\n")


def test_the_script_is_there() -> None:
    assert (ROOT / "scripts/replay").stat().st_mode & 0o100
