"""Tests of suspended departures: snapshots of a controller that has just started."""

from custom_components.unifi_scanner.api.records import EventKind
from custom_components.unifi_scanner.roaming import RoamTracker
from tests.roaming.observations import HALL, PHONE, station

TABLET = "aa:00:00:00:00:02"
NOW = 1_700_000_000.0


def tracked() -> RoamTracker:
    tracker = RoamTracker()
    tracker.process_snapshot([station(NOW, HALL), station(NOW, HALL, mac=TABLET)], NOW)
    return tracker


def test_snapshots_that_fill_up_after_empty_ones_disconnect_no_client() -> None:
    tracker = tracked()
    for at in range(60, 181, 60):
        assert tracker.process_snapshot([], NOW + at) == []
    for at in range(190, 360, 10):
        assert tracker.process_snapshot([station(NOW + at, HALL)], NOW + at) == []
        assert tracker.recheck_due is None
    assert tracker.clients[TABLET].connected


def test_missing_client_disconnects_after_departures_were_suspended() -> None:
    tracker = tracked()
    tracker.suspend_departures(NOW + 60)
    assert tracker.process_snapshot([station(NOW + 70, HALL)], NOW + 70) == []
    assert tracker.process_snapshot([station(NOW + 241, HALL)], NOW + 241) == []
    assert tracker.recheck_due == NOW + 251
    (event,) = tracker.process_snapshot([station(NOW + 251, HALL)], NOW + 251)
    assert (event.kind, event.mac) == (EventKind.DISCONNECTED, TABLET)


def test_suspending_departures_drops_a_pending_recheck() -> None:
    tracker = tracked()
    tracker.process_snapshot([station(NOW + 60, HALL)], NOW + 60)
    assert tracker.recheck_due is not None
    tracker.suspend_departures(NOW + 65)
    assert tracker.process_snapshot([station(NOW + 71, HALL)], NOW + 71) == []
    assert tracker.recheck_due is None
    assert tracker.clients[TABLET].connected


def test_roams_are_reported_while_departures_are_suspended() -> None:
    tracker = tracked()
    tracker.suspend_departures(NOW + 60)
    (event,) = tracker.process_snapshot([station(NOW + 70, "f0:00:00:00:00:0b")], NOW + 70)
    assert (event.kind, event.mac) == (EventKind.ROAM, PHONE)


def test_controller_time_converts_our_time_to_the_controllers_clock() -> None:
    tracker = RoamTracker()
    assert tracker.controller_time(NOW) == NOW
    tracker.process_snapshot([station(NOW - 600, HALL, received=NOW)], NOW)
    assert tracker.controller_time(NOW) == NOW - 600
