"""Replay of a capture through a tracker."""

from collections.abc import Iterable

from custom_components.unifi_scanner.capture.recording_tracker import RecordingTracker
from custom_components.unifi_scanner.roaming import ClientEvent, RoamTracker

from .capture import Capture, Step


def play(capture: Capture) -> list[ClientEvent]:
    """Return the events of a new tracker that is given the state and the inputs of a capture."""
    return play_steps(capture.tracker(), capture.steps)


def play_steps(tracker: RoamTracker | RecordingTracker, steps: Iterable[Step]) -> list[ClientEvent]:
    """Give inputs to a tracker and return its events."""
    events: list[ClientEvent] = []
    for step in steps:
        match step.action:
            case "observe":
                events += tracker.process_batch(step.batch, step.at)
            case "log":
                events += tracker.process_log(step.rows, step.until, step.at)
            case "snapshot":
                events += tracker.process_snapshot(step.stations, step.at)
            case "advance":
                events += tracker.release_due(step.at)
            case "doubt":
                tracker.suspend_departures(step.at)
            case "expect_log":
                tracker.expect_log(step.until, step.at, unread_since=step.since)
            case "connect":
                tracker.connection_opened(step.at)
    return events
