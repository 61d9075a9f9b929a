"""Fuzz test: replaying a recording emits the recorded events, wherever it starts."""

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
from tests.replay.capture import capture_from, event_as_json
from tests.replay.tracker_player import play

from .harness import Harness


class RecordingHarness(Harness):
    """A harness that records its tracker, as the coordinator does."""

    def __init__(self, random: Random) -> None:
        """Set up the site, with a recording tracker."""
        super().__init__(random)
        self.recorder = CaptureRecorder()
        self.recorder.attach(self.statistics)
        self.tracker = RecordingTracker(self.tracker, self.recorder)

    @override
    def feed(self, frames: Sequence[bytes]) -> None:
        received = datetime.fromtimestamp(self.now, UTC)
        events = [
            replace(event, timestamp=received)
            for frame in frames
            for event in parse_unifi_events(frame, self.statistics)
        ]
        self.recorder.record_frames(events)
        self._check_events(
            self.tracker.process_batch([observation_from(event) for event in events], self.now)
        )


@pytest.mark.parametrize("seed", [2, 9])
def test_replay_of_mutated_frames_emits_the_recorded_events(seed: int) -> None:
    harness = RecordingHarness(Random(seed))  # noqa: S311 - not for security
    for _ in range(3):
        harness.run(1_500)
        exported = json.loads(json.dumps(harness.recorder.export(), allow_nan=False))
        capture = capture_from(exported)
        assert capture.events
        assert [event_as_json(event) for event in play(capture)] == capture.events
    # The recording no longer starts at the beginning, so it needs an initial state.
    assert exported["state"]["clients"]
