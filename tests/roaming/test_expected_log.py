"""What is only implied waits until the controller's log is known."""

import pytest

from custom_components.unifi_scanner.roaming import RoamTracker

from .observations import BEDROOM, HALL, OFFICE, connected, disconnected, roam, station
from .test_tracker import NOW, kinds


@pytest.fixture
def tracker() -> RoamTracker:
    """Return a tracker whose phone was in the hall, and that expects the log of what followed."""
    tracker = RoamTracker()
    tracker.process_snapshot([station(NOW, HALL, associated_at=NOW - 3600)], NOW)
    tracker.expect_log(NOW + 10, NOW + 60)
    return tracker


def test_implied_roam_waits_for_the_log(tracker: RoamTracker) -> None:
    moved = station(NOW + 60, OFFICE, associated_at=NOW + 40)
    assert tracker.process_snapshot([moved], NOW + 60) == []
    assert tracker.clients["aa:00:00:00:00:01"].ap_mac == OFFICE
    assert (tracker.waits_for_log, tracker.next_due) == (True, None)
    rows = [
        roam(NOW + 20, HALL, BEDROOM, logged=True, received=NOW + 61),
        roam(NOW + 40.3, BEDROOM, OFFICE, logged=True, received=NOW + 61),
    ]
    events = tracker.process_batch(rows, NOW + 61)
    assert kinds(events) == [("roam", HALL, BEDROOM), ("roam", BEDROOM, OFFICE)]
    assert not tracker.waits_for_log


def test_implied_roam_is_emitted_when_the_log_does_not_know_it(tracker: RoamTracker) -> None:
    tracker.process_snapshot([station(NOW + 60, OFFICE, associated_at=NOW + 40)], NOW + 60)
    tracker.expect_log(NOW + 39, NOW + 65)
    assert tracker.next_due == NOW + 65
    assert tracker.release_due(NOW + 65) == []
    tracker.expect_log(NOW + 45, NOW + 70)
    assert kinds(tracker.release_due(NOW + 70)) == [("roam", HALL, OFFICE)]


def test_implied_roam_before_the_gap_is_emitted_at_once(tracker: RoamTracker) -> None:
    moved = station(NOW + 60, OFFICE, associated_at=NOW + 9)
    assert kinds(tracker.process_snapshot([moved], NOW + 60)) == [("roam", HALL, OFFICE)]


@pytest.mark.parametrize("left", [5, 30], ids=["before the gap", "in the gap"])
def test_departure_waits_for_the_log_of_a_return(tracker: RoamTracker, left: float) -> None:
    tracker.process_batch([disconnected(NOW + left, HALL)], NOW + 31)
    assert tracker.release_due(NOW + 50) == []
    row = connected(NOW + left + 6, BEDROOM, logged=True, received=NOW + 60)
    assert kinds(tracker.process_batch([row], NOW + 60)) == [("roam", HALL, BEDROOM)]


def test_departure_long_before_the_gap_is_emitted(tracker: RoamTracker) -> None:
    tracker.expect_log(NOW + 30, NOW + 31)
    tracker.process_batch([disconnected(NOW + 5, HALL)], NOW + 31)
    assert kinds(tracker.release_due(NOW + 41)) == [("disconnected", HALL, None)]


def test_event_after_an_implied_roam_waits_with_it(tracker: RoamTracker) -> None:
    tracker.process_snapshot([station(NOW + 60, OFFICE, associated_at=NOW + 40)], NOW + 60)
    assert tracker.process_batch([roam(NOW + 62, OFFICE, HALL)], NOW + 62) == []
    tracker.expect_log(None, NOW + 70)
    assert kinds(tracker.release_due(NOW + 70)) == [("roam", HALL, OFFICE), ("roam", OFFICE, HALL)]


def test_event_of_a_client_that_is_known_does_not_wait(tracker: RoamTracker) -> None:
    events = tracker.process_batch([roam(NOW + 62, HALL, BEDROOM)], NOW + 62)
    assert kinds(events) == [("roam", HALL, BEDROOM)]
