"""Every capture in tests/captures still gives the events listed in it."""

from pathlib import Path

import pytest

from tests.replay.capture import event_as_json, read_capture
from tests.replay.tracker_player import play

CAPTURES = sorted((Path(__file__).parents[1] / "captures").glob("*.json"))


def test_there_is_a_capture() -> None:
    assert CAPTURES


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_a_replayed_capture_gives_its_events(path: Path) -> None:
    capture = read_capture(path)
    assert [event_as_json(event) for event in play(capture)] == capture.events
    assert capture.steps
