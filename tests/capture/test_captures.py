"""Every capture in tests/captures tells what it told then, whoever sent it."""

from pathlib import Path

import pytest

from tests.replay.capture import as_told, read_capture
from tests.replay.tracker_player import play

CAPTURES = sorted((Path(__file__).parents[1] / "captures").glob("*.json"))


def test_there_is_a_capture() -> None:
    assert CAPTURES


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_a_capture_is_told_as_it_was(path: Path) -> None:
    capture = read_capture(path)
    assert [as_told(event) for event in play(capture)] == capture.events
    assert capture.steps
