"""Whatever comes, a recording of it tells the same again, from wherever it begins."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
import json
from random import Random
from typing import override

import pytest

from custom_components.unifi_scanner.api import parse_unifi_events
from custom_components.unifi_scanner.api.records import observation_from
from custom_components.unifi_scanner.capture.recorder import CaptureRecorder
from custom_components.unifi_scanner.capture.recording_tracker import RecordingTracker
from tests.replay.capture import as_told, capture_of
from tests.replay.tracker_player import play

from .harness import Harness


class RecordedHarness(Harness):
    """A harness whose tracker is recorded, as the house does it."""

    def __init__(self, random: Random) -> None:
        """Begin as a harness does."""
        super().__init__(random)
        self.recorder = CaptureRecorder()
        self.tracker = RecordingTracker(self.recorder)

    @override
    def feed(self, frames: Sequence[bytes]) -> None:
        received = datetime.fromtimestamp(self.now, UTC)
        events = [
            replace(event, timestamp=received)
            for frame in frames
            for event in parse_unifi_events(frame, self.statistics, self.recorder)
        ]
        self.recorder.frames(events)
        self._told(
            self.tracker.process_batch([observation_from(event) for event in events], self.now)
        )


@pytest.mark.parametrize("seed", [2, 9])
def test_mutated_frames_are_told_again_as_they_were(seed: int) -> None:
    harness = RecordedHarness(Random(seed))  # noqa: S311 - dice, no secret
    for _ in range(3):
        harness.run(1_500)
        exported = json.loads(json.dumps(harness.recorder.export(), allow_nan=False))
        capture = capture_of(exported)
        assert capture.events
        assert [as_told(event) for event in play(capture)] == capture.events
    # The beginning has been forgotten, and clients that it knew.
    assert exported["state"]["clients"]
