"""Tests of the roam tracker's decisions."""

from copy import replace

import pytest

from custom_components.unifi_scanner.api.records import (
    EventRecord,
    Link,
    Observation,
    StationRecord,
)
from custom_components.unifi_scanner.roaming import EventKind, RoamTracker, Source

from .observations import (
    BEDROOM,
    HALL,
    OFFICE,
    PHONE,
    connected,
    disconnected,
    roam,
    roam_radio,
    station,
)

NOW = 1_790_000_000.0


@pytest.fixture
def tracker() -> RoamTracker:
    """Return a tracker whose phone has been in the hall for an hour."""
    tracker = RoamTracker()
    assert tracker.process_snapshot([station(NOW, HALL, associated_at=NOW - 3600)], NOW) == []
    return tracker


def kinds(events: list) -> list[tuple[str, str | None, str | None]]:
    return [(event.kind.value, event.ap_from, event.ap_to) for event in events]


def test_first_snapshot_emits_no_events_but_sets_the_state_of_clients(tracker: RoamTracker) -> None:
    state = tracker.clients[PHONE]
    assert (state.ap_mac, state.name, state.signal) == (HALL, "Anna's phone", -60)
    assert tracker.connected_clients == 1
    assert tracker.clients_per_access_point == {HALL: 1}


def test_roam_event_is_emitted_once_with_the_fields_of_the_controller(tracker: RoamTracker) -> None:
    events = tracker.process_batch(
        [
            roam(
                NOW + 5, HALL, BEDROOM, band_from="5", band_to="2.4", channel_from=36, channel_to=11
            )
        ],
        NOW + 5,
    )
    assert kinds(events) == [("roam", HALL, BEDROOM)]
    event = events[0]
    assert event.link_from == Link(HALL, "5", 36, "Home")
    assert event.link_to == Link(BEDROOM, "2.4", 11, "Home")
    assert (event.source, event.inferred, event.roam_gap) == (Source.EVENT, False, None)
    assert (event.time, event.signal, event.name) == (NOW + 5, None, "Anna's phone")
    state = tracker.clients[PHONE]
    assert (state.ap_mac, state.previous_ap_mac, state.last_roam) == (BEDROOM, HALL, NOW + 5)
    assert tracker.clients_per_access_point == {BEDROOM: 1}


def test_signal_of_the_old_link_is_not_kept_for_the_new_link(tracker: RoamTracker) -> None:
    tracker.process_batch([roam(NOW + 5, HALL, BEDROOM)], NOW + 5)
    assert tracker.clients[PHONE].signal is None


def test_record_in_the_same_batch_adds_the_signal_to_the_roam(tracker: RoamTracker) -> None:
    events = tracker.process_batch(
        [station(NOW + 6, BEDROOM, signal=-48), roam(NOW + 5, HALL, BEDROOM)], NOW + 6
    )
    assert [(event.kind, event.signal) for event in events] == [(EventKind.ROAM, -48)]


@pytest.mark.parametrize("later", [0, 1])
def test_second_report_of_a_roam_is_an_echo(tracker: RoamTracker, later: float) -> None:
    assert len(tracker.process_batch([roam(NOW + 5, HALL, BEDROOM)], NOW + 5)) == 1
    assert tracker.process_batch([roam(NOW + 5 + later, HALL, BEDROOM)], NOW + 5 + later) == []
    assert tracker.process_batch([station(NOW + 6 + later, BEDROOM)], NOW + 6 + later) == []
    assert tracker.process_snapshot([station(NOW + 7 + later, BEDROOM)], NOW + 7 + later) == []


@pytest.mark.parametrize("later", [5, 40])
def test_roam_reported_again_with_another_time_is_another_roam(
    tracker: RoamTracker, later: float
) -> None:
    """The way back was reported by nothing else; that it happened is certain."""
    tracker.process_batch([roam(NOW + 5, HALL, BEDROOM)], NOW + 5)
    again = roam(NOW + 5 + later, HALL, BEDROOM)
    assert kinds(tracker.process_batch([again], NOW + 5 + later)) == [("roam", HALL, BEDROOM)]
    assert tracker.process_batch([again], NOW + 6 + later) == []
    (back,) = tracker.release_due(NOW + 60 + later)
    assert (back.ap_from, back.ap_to, back.inferred) == (BEDROOM, HALL, True)
    assert NOW + 5 < back.time < NOW + 5 + later


def test_record_before_its_event_makes_the_event_an_echo(tracker: RoamTracker) -> None:
    events = tracker.process_batch([station(NOW + 6, BEDROOM, associated_at=NOW + 5)], NOW + 6)
    assert kinds(events) == [("roam", HALL, BEDROOM)]
    assert (events[0].inferred, events[0].source, events[0].time) == (True, Source.SYNC, NOW + 5)
    assert tracker.process_batch([roam(NOW + 5.4, HALL, BEDROOM)], NOW + 7) == []


def test_roams_there_and_back_and_there_again_are_three_roams(tracker: RoamTracker) -> None:
    events = []
    for second, (start, end) in enumerate([(HALL, BEDROOM), (BEDROOM, HALL), (HALL, BEDROOM)]):
        events += tracker.process_batch([roam(NOW + 1 + second, start, end)], NOW + 1 + second)
    assert kinds(events) == [
        ("roam", HALL, BEDROOM),
        ("roam", BEDROOM, HALL),
        ("roam", HALL, BEDROOM),
    ]


def test_roams_there_and_back_in_records_alone_are_two_roams(tracker: RoamTracker) -> None:
    events = tracker.process_batch([station(NOW + 5, BEDROOM)], NOW + 5)
    events += tracker.process_batch([station(NOW + 8, HALL)], NOW + 8)
    assert kinds(events) == [("roam", HALL, BEDROOM), ("roam", BEDROOM, HALL)]


def test_record_from_before_a_roam_does_not_move_the_client_back(
    tracker: RoamTracker,
) -> None:
    tracker.process_batch([roam(NOW + 5, HALL, BEDROOM)], NOW + 5)
    late = station(NOW + 4, HALL, received=NOW + 6)
    stale = station(NOW + 9, HALL, associated_at=NOW - 3600)
    assert tracker.process_batch([late, stale], NOW + 9) == []
    assert tracker.process_snapshot([stale], NOW + 10) == []
    assert tracker.clients[PHONE].ap_mac == BEDROOM


def test_record_of_a_new_link_to_the_old_access_point_is_a_roam_back(tracker: RoamTracker) -> None:
    tracker.process_batch([roam(NOW + 5, HALL, BEDROOM)], NOW + 5)
    events = tracker.process_batch([station(NOW + 9, HALL, associated_at=NOW + 8)], NOW + 9)
    assert kinds(events) == [("roam", BEDROOM, HALL)]


def test_old_access_point_is_believed_when_snapshots_show_nothing_else(
    tracker: RoamTracker,
) -> None:
    tracker.process_batch([roam(NOW + 5, HALL, BEDROOM)], NOW + 5)
    old = station(NOW + 300, HALL, associated_at=NOW - 3600)
    assert tracker.process_snapshot([old], NOW + 300) == []
    assert tracker.process_batch([station(NOW + 310, HALL, associated_at=NOW - 3600)], NOW) == []
    old = station(NOW + 360, HALL, associated_at=NOW - 3600)
    assert kinds(tracker.process_snapshot([old], NOW + 360)) == [("roam", BEDROOM, HALL)]


@pytest.mark.parametrize("late", [1, 300])
def test_late_disconnect_of_the_old_access_point_is_ignored(
    tracker: RoamTracker, late: float
) -> None:
    tracker.process_batch([roam(NOW + 5, HALL, BEDROOM)], NOW + 5)
    assert tracker.process_batch([disconnected(NOW + 5 + late, HALL)], NOW + 5 + late) == []
    assert tracker.next_due is None
    assert tracker.release_due(NOW + 10_000) == []


def test_disconnect_is_emitted_after_the_delay(tracker: RoamTracker) -> None:
    assert tracker.process_batch([disconnected(NOW + 5, HALL, received=NOW + 6)], NOW + 6) == []
    assert tracker.next_due == NOW + 16
    assert tracker.release_due(NOW + 15.9) == []
    events = tracker.release_due(NOW + 16)
    assert kinds(events) == [("disconnected", HALL, None)]
    assert (events[0].time, events[0].inferred, events[0].signal) == (NOW + 5, False, -60)
    assert not tracker.clients[PHONE].connected
    assert tracker.connected_clients == 0
    assert tracker.release_due(NOW + 100) == []


def test_disconnect_then_roam_is_one_roam_with_its_gap(tracker: RoamTracker) -> None:
    tracker.process_batch([disconnected(NOW + 5, HALL)], NOW + 5)
    events = tracker.process_batch([roam(NOW + 9, HALL, BEDROOM)], NOW + 9)
    assert kinds(events) == [("roam", HALL, BEDROOM)]
    assert (events[0].roam_gap, events[0].inferred) == (4, False)
    assert tracker.release_due(NOW + 100) == []


def test_disconnect_then_connect_elsewhere_is_an_inferred_roam(tracker: RoamTracker) -> None:
    events = tracker.process_batch(
        [connected(NOW + 7.5, BEDROOM), disconnected(NOW + 5, HALL)], NOW + 8
    )
    assert kinds(events) == [("roam", HALL, BEDROOM)]
    assert (events[0].roam_gap, events[0].inferred) == (2.5, True)
    assert tracker.release_due(NOW + 100) == []


def test_disconnect_then_newer_record_elsewhere_is_an_inferred_roam(tracker: RoamTracker) -> None:
    tracker.process_batch([disconnected(NOW + 5, HALL)], NOW + 5)
    events = tracker.process_batch([station(NOW + 8, BEDROOM)], NOW + 8)
    assert kinds(events) == [("roam", HALL, BEDROOM)]
    assert events[0].roam_gap == 3


@pytest.mark.parametrize(
    "back",
    [connected(NOW + 8, HALL), station(NOW + 8, HALL)],
    ids=["connected", "record"],
)
def test_disconnect_then_return_to_the_same_access_point_emits_nothing(
    tracker: RoamTracker, back: Observation
) -> None:
    tracker.process_batch([disconnected(NOW + 5, HALL)], NOW + 5)
    assert tracker.process_batch([back], NOW + 8) == []
    assert tracker.next_due is None


def test_change_of_radio_cancels_a_held_disconnect(tracker: RoamTracker) -> None:
    events = tracker.process_batch(
        [disconnected(NOW + 5, HALL), roam_radio(NOW + 9, HALL, "2.4", 11)], NOW + 9
    )
    assert kinds(events) == [("roam_radio", HALL, HALL)]
    assert events[0].link_from == Link(HALL, "5", 36, "Home")
    assert events[0].link_to == Link(HALL, "2.4", 11, "Home")
    assert tracker.next_due is None
    assert tracker.process_batch([roam_radio(NOW + 9, HALL, "2.4", 11)], NOW + 10) == []
    assert tracker.process_batch([station(NOW + 11, HALL, band="2.4", channel=11)], NOW + 11) == []


def test_new_band_in_a_record_is_an_inferred_change_of_radio(tracker: RoamTracker) -> None:
    events = tracker.process_batch([station(NOW + 5, HALL, band="2.4", channel=11)], NOW + 5)
    assert kinds(events) == [("roam_radio", HALL, HALL)]
    assert events[0].inferred


@pytest.mark.parametrize(
    ("associated_at", "time"), [(NOW + 37, NOW + 37), (NOW + 20, NOW + 70), (None, NOW + 70)]
)
def test_change_of_radio_in_a_record_is_dated_when_its_new_link_began(
    tracker: RoamTracker, associated_at: float | None, time: float
) -> None:
    tracker.process_batch([station(NOW + 35, HALL, associated_at=NOW + 20)], NOW + 35)
    shown = station(NOW + 70, HALL, band="2.4", associated_at=associated_at)
    events = tracker.process_batch([shown], NOW + 70)
    assert [(event.kind, event.time) for event in events] == [(EventKind.ROAM_RADIO, time)]


def test_multi_link_client_does_not_change_radio_with_each_record(tracker: RoamTracker) -> None:
    for second, band in enumerate(["6", "5", "6"]):
        seen = station(NOW + 1 + second, HALL, band=band, is_mlo=True)
        assert tracker.process_batch([seen], NOW + 1 + second) == []


def test_absence_longer_than_the_delay_is_one_disconnect_and_one_connect(
    tracker: RoamTracker,
) -> None:
    events = tracker.process_batch([disconnected(NOW + 5, HALL)], NOW + 5)
    events += tracker.release_due(NOW + 15)
    events += tracker.process_batch([connected(NOW + 1205, HALL)], NOW + 1205)
    events += tracker.process_batch(
        [connected(NOW + 1205, HALL), station(NOW + 1206, HALL)], NOW + 1206
    )
    assert kinds(events) == [("disconnected", HALL, None), ("connected", None, HALL)]
    assert not events[1].inferred


@pytest.mark.parametrize(
    "back",
    [
        connected(NOW + 605, HALL),
        connected(NOW + 605, BEDROOM),
        station(NOW + 606, HALL, associated_at=NOW + 605),
        station(NOW + 606, BEDROOM, associated_at=NOW + 605),
    ],
    ids=["connected", "connected elsewhere", "record", "record elsewhere"],
)
def test_absence_reported_after_the_return_is_a_disconnect_and_a_connect(
    tracker: RoamTracker, back: Observation
) -> None:
    gone = disconnected(NOW + 5, HALL, received=NOW + 610)
    # The stream was down: no record arrived in between, and both events are in one batch.
    events = tracker.process_batch([gone, replace(back, received=NOW + 610)], NOW + 610)
    events += tracker.release_due(NOW + 2000)
    assert [event.kind.value for event in events] == ["disconnected", "connected"]
    assert [event.time for event in events] == [NOW + 5, NOW + 605]


def test_record_that_lags_behind_a_disconnect_does_not_reconnect_the_client(
    tracker: RoamTracker,
) -> None:
    tracker.process_batch([disconnected(NOW + 5, HALL)], NOW + 5)
    tracker.release_due(NOW + 15)
    stale = station(NOW + 7, HALL, received=NOW + 16, associated_at=NOW - 3600)
    assert tracker.process_batch([stale], NOW + 16) == []
    assert tracker.process_snapshot([stale], NOW + 17) == []
    assert not tracker.clients[PHONE].connected


def test_roam_of_an_unknown_client_is_a_connect_and_a_roam() -> None:
    tracker = RoamTracker()
    tracker.process_snapshot([station(NOW, OFFICE, mac="aa:00:00:00:00:02")], NOW)
    events = tracker.process_batch([roam(NOW + 5, HALL, BEDROOM)], NOW + 5)
    assert kinds(events) == [("connected", None, HALL), ("roam", HALL, BEDROOM)]
    assert [event.inferred for event in events] == [True, False]
    assert tracker.clients[PHONE].ap_mac == BEDROOM


def test_events_of_a_batch_are_processed_in_order_of_the_controllers_time(
    tracker: RoamTracker,
) -> None:
    events = tracker.process_batch(
        [
            roam(NOW + 7, BEDROOM, OFFICE, received=NOW + 8),
            roam(NOW + 5, HALL, BEDROOM, received=NOW + 8),
        ],
        NOW + 8,
    )
    assert kinds(events) == [("roam", HALL, BEDROOM), ("roam", BEDROOM, OFFICE)]


def test_late_event_of_a_roam_there_and_back_missing_from_records_emits_both_roams(
    tracker: RoamTracker,
) -> None:
    tracker.process_batch([station(NOW + 20, HALL, associated_at=NOW + 12)], NOW + 20)
    events = tracker.process_batch([roam(NOW + 10, HALL, BEDROOM, received=NOW + 21)], NOW + 21)
    assert kinds(events) == [("roam", HALL, BEDROOM), ("roam", BEDROOM, HALL)]
    assert tracker.clients[PHONE].ap_mac == HALL
    assert (
        tracker.process_batch([roam(NOW + 12.3, BEDROOM, HALL, received=NOW + 22)], NOW + 22) == []
    )


@pytest.mark.parametrize("skew", [-600, 600, 86_400])
def test_wrong_clock_of_the_controller_changes_nothing(skew: float) -> None:
    tracker = RoamTracker()
    there = NOW + skew
    tracker.process_snapshot([station(there, HALL, received=NOW, associated_at=there - 60)], NOW)
    events = tracker.process_batch([disconnected(there + 5, HALL, received=NOW + 5)], NOW + 5)
    events += tracker.process_batch([roam(there + 9, HALL, BEDROOM, received=NOW + 9)], NOW + 9)
    events += tracker.process_batch([roam(there + 12, BEDROOM, HALL, received=NOW + 12)], NOW + 12)
    assert kinds(events) == [("roam", HALL, BEDROOM), ("roam", BEDROOM, HALL)]
    assert events[0].roam_gap == pytest.approx(4)
    assert events[0].time == there + 9


def test_missing_clock_falls_back_to_the_order_of_arrival(tracker: RoamTracker) -> None:
    events = tracker.process_batch(
        [
            roam(None, HALL, BEDROOM, received=NOW + 5),
            roam(None, BEDROOM, HALL, received=NOW + 6),
        ],
        NOW + 6,
    )
    assert kinds(events) == [("roam", HALL, BEDROOM), ("roam", BEDROOM, HALL)]


def test_departure_dated_after_the_roam_gives_no_gap(tracker: RoamTracker) -> None:
    tracker.process_batch([disconnected(NOW + 9, HALL)], NOW + 9)
    events = tracker.process_batch([roam(NOW + 8, HALL, BEDROOM, received=NOW + 9)], NOW + 9)
    assert kinds(events) == [("roam", HALL, BEDROOM)]
    assert events[0].roam_gap is None
    assert tracker.release_due(NOW + 100) == []


def test_event_from_an_hour_ago_is_a_replay(tracker: RoamTracker) -> None:
    old = roam(NOW - 3600, OFFICE, BEDROOM, received=NOW + 5)
    assert tracker.process_batch([old], NOW + 5) == []
    assert tracker.counters["replayed"] == 1
    assert tracker.clients[PHONE].ap_mac == HALL


def test_observations_without_a_wireless_link_are_ignored_and_counted(tracker: RoamTracker) -> None:
    events = tracker.process_batch(
        [None, station(NOW + 5, HALL, is_wired=True), station(NOW + 5, None)], NOW + 5
    )
    assert events == []
    assert tracker.counters == {"unreadable": 1, "wired": 1, "no_access_point": 1}
    assert tracker.clients[PHONE].ap_mac == HALL


def test_snapshot_after_a_gap_emits_the_missed_roam(tracker: RoamTracker) -> None:
    events = tracker.process_snapshot(
        [station(NOW + 300, BEDROOM, associated_at=NOW + 100)], NOW + 300
    )
    assert kinds(events) == [("roam", HALL, BEDROOM)]
    assert (events[0].source, events[0].inferred) == (Source.RESYNC, True)


def test_client_missing_from_two_snapshots_is_disconnected(tracker: RoamTracker) -> None:
    other = station(NOW + 60, OFFICE, mac="aa:00:00:00:00:02")
    assert kinds(tracker.process_snapshot([other], NOW + 60)) == [("connected", None, OFFICE)]
    assert tracker.recheck_due == NOW + 70
    events = tracker.process_snapshot([other], NOW + 70)
    assert kinds(events) == [("disconnected", HALL, None)]
    assert (events[0].inferred, events[0].time) == (True, NOW)
    assert tracker.recheck_due is None


def test_client_missing_from_one_snapshot_stays_connected(tracker: RoamTracker) -> None:
    other = station(NOW + 60, OFFICE, mac="aa:00:00:00:00:02")
    tracker.process_snapshot([other], NOW + 60)
    assert tracker.process_snapshot([other, station(NOW, HALL, received=NOW + 70)], NOW + 70) == []
    assert tracker.process_snapshot([other], NOW + 75) == []


def test_empty_snapshots_disconnect_no_client_for_five_minutes(tracker: RoamTracker) -> None:
    for second in range(60, 350, 10):
        assert tracker.process_snapshot([], NOW + second) == []
    assert tracker.recheck_due is None


def test_empty_snapshots_do_not_request_a_recheck(tracker: RoamTracker) -> None:
    tracker.process_snapshot([station(NOW + 60, OFFICE, mac="aa:00:00:00:00:02")], NOW + 60)
    assert tracker.recheck_due == NOW + 70
    tracker.process_snapshot([], NOW + 70)
    assert tracker.recheck_due is None


def test_first_clients_after_an_empty_first_snapshot_emit_no_connect() -> None:
    tracker = RoamTracker()
    assert tracker.process_snapshot([], NOW) == []
    assert tracker.process_snapshot([station(NOW + 60, HALL)], NOW + 60) == []
    assert tracker.clients[PHONE].ap_mac == HALL


def test_client_missing_from_a_snapshot_roams_without_a_roam_gap(
    tracker: RoamTracker,
) -> None:
    tracker.process_snapshot([station(NOW + 60, OFFICE, mac="aa:00:00:00:00:02")], NOW + 60)
    events = tracker.process_batch([roam(NOW + 62, HALL, BEDROOM)], NOW + 62)
    assert kinds(events) == [("roam", HALL, BEDROOM)]
    assert events[0].roam_gap is None


def test_record_from_the_future_does_not_set_the_controllers_clock(tracker: RoamTracker) -> None:
    odd = station(NOW + 90_000, OFFICE, mac="aa:00:00:00:00:02", received=NOW + 60)
    tracker.process_snapshot([odd, station(NOW + 60, HALL)], NOW + 60)
    assert kinds(tracker.process_batch([roam(NOW + 65, HALL, BEDROOM)], NOW + 65)) == [
        ("roam", HALL, BEDROOM)
    ]


def test_late_change_of_radio_is_emitted_without_changing_the_link(tracker: RoamTracker) -> None:
    tracker.process_batch([roam(NOW + 9, HALL, BEDROOM, band_to="5", channel_to=40)], NOW + 9)
    late = roam_radio(NOW + 5, HALL, "2.4", 11, received=NOW + 10)
    assert kinds(tracker.process_batch([late], NOW + 10)) == [("roam_radio", HALL, HALL)]
    assert tracker.process_batch([late], NOW + 11) == []
    assert tracker.clients[PHONE].link == Link(BEDROOM, "5", 40, "Home")


def test_snapshot_does_not_disconnect_a_client_that_just_connected(tracker: RoamTracker) -> None:
    tracker.process_batch([connected(NOW + 59, OFFICE, mac="aa:00:00:00:00:02")], NOW + 59)
    tracker.process_snapshot([station(NOW + 60, HALL)], NOW + 60)
    assert tracker.process_snapshot([station(NOW + 80, HALL)], NOW + 80) == []


def test_passers_by_are_forgotten() -> None:
    tracker = RoamTracker()
    tracker.process_snapshot([], NOW)
    for number in range(26_000):
        mac = f"02:00:00:{number >> 16:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"
        tracker.process_batch([connected(NOW + number / 1000, HALL, mac=mac)], NOW + number / 1000)
    assert len(tracker.clients) == 20_000
    assert tracker.clients_per_access_point == {HALL: 20_000}


def test_client_disconnected_since_yesterday_is_forgotten(tracker: RoamTracker) -> None:
    tracker.process_batch([disconnected(NOW + 5, HALL)], NOW + 5)
    tracker.release_due(NOW + 15)
    tracker.process_snapshot([], NOW + 90_000)
    assert tracker.clients == {}


def test_clients_per_access_point_add_up_to_the_connected_clients(tracker: RoamTracker) -> None:
    steps = [
        roam(NOW + 5, HALL, BEDROOM),
        connected(NOW + 6, OFFICE, mac="aa:00:00:00:00:02"),
        disconnected(NOW + 7, BEDROOM),
    ]
    for step in steps:
        tracker.process_batch([step], step.received)
        assert sum(tracker.clients_per_access_point.values()) == tracker.connected_clients
    tracker.release_due(NOW + 60)
    assert tracker.clients_per_access_point == {OFFICE: 1}


def test_system_log_row_of_a_missed_roam_is_emitted_with_its_signal(
    tracker: RoamTracker,
) -> None:
    row = roam(NOW + 5, HALL, BEDROOM, received=NOW + 90, signal=-52, logged=True)
    events = tracker.process_batch([row], NOW + 90)
    assert kinds(events) == [("roam", HALL, BEDROOM)]
    assert (events[0].source, events[0].signal, events[0].inferred) == (
        Source.SYSTEM_LOG,
        -52,
        False,
    )


def test_system_log_rows_of_known_roams_are_echoes(tracker: RoamTracker) -> None:
    tracker.process_batch([roam(NOW + 5, HALL, BEDROOM), roam(NOW + 30, BEDROOM, HALL)], NOW + 30)
    rows = [
        roam(NOW + 8, HALL, BEDROOM, received=NOW + 60, logged=True),
        roam(NOW + 28, BEDROOM, HALL, received=NOW + 60, logged=True),
    ]
    assert tracker.process_batch(rows, NOW + 60) == []


def test_system_log_rows_after_a_snapshot_emit_the_roam_it_missed(
    tracker: RoamTracker,
) -> None:
    events = tracker.process_snapshot([station(NOW + 60, OFFICE, associated_at=NOW + 30)], NOW + 60)
    assert kinds(events) == [("roam", HALL, OFFICE)]
    rows = [
        roam(NOW + 10, HALL, BEDROOM, received=NOW + 61, logged=True),
        roam(NOW + 30, BEDROOM, OFFICE, received=NOW + 61, logged=True),
    ]
    assert kinds(tracker.process_batch(rows, NOW + 61)) == [("roam", HALL, BEDROOM)]
    assert tracker.clients[PHONE].ap_mac == OFFICE


def test_roam_reported_after_its_disconnect_was_emitted_is_a_connect(
    tracker: RoamTracker,
) -> None:
    tracker.process_batch([disconnected(NOW + 5, HALL)], NOW + 5)
    tracker.release_due(NOW + 15)
    events = tracker.process_batch([roam(NOW + 5.5, HALL, BEDROOM, received=NOW + 130)], NOW + 130)
    assert kinds(events) == [("connected", None, BEDROOM)]


def test_system_log_row_of_an_inferred_roam_is_an_echo_despite_a_newer_link(
    tracker: RoamTracker,
) -> None:
    events = tracker.process_snapshot(
        [station(NOW + 60, BEDROOM, associated_at=NOW + 50)], NOW + 60
    )
    assert kinds(events) == [("roam", HALL, BEDROOM)]
    # The roam happened at 20; the link that began at 50 was a change of radio.
    row = roam(NOW + 20, HALL, BEDROOM, received=NOW + 61, logged=True)
    assert tracker.process_batch([row], NOW + 61) == []


def test_return_indicated_only_by_a_new_link_is_emitted_when_its_event_arrives(
    tracker: RoamTracker,
) -> None:
    assert tracker.process_batch([station(NOW + 60, HALL, associated_at=NOW + 50)], NOW + 60) == []
    events = tracker.process_batch([roam(NOW + 50.5, BEDROOM, HALL, received=NOW + 61)], NOW + 61)
    assert kinds(events) == [("roam", BEDROOM, HALL)]


def test_record_of_a_link_one_second_older_is_stale(tracker: RoamTracker) -> None:
    tracker.process_batch([station(NOW + 7, BEDROOM, associated_at=NOW + 7)], NOW + 8)
    tracker.process_batch([station(NOW + 8, OFFICE, associated_at=NOW + 8)], NOW + 9)
    stale = station(NOW + 12, BEDROOM, associated_at=NOW + 7)
    assert tracker.process_batch([stale], NOW + 12) == []
    assert tracker.clients[PHONE].ap_mac == OFFICE


@pytest.mark.parametrize("seen_at", [NOW + 9, NOW + 10])
def test_record_of_a_link_one_second_newer_wins_over_newer_records_of_the_old_link(
    tracker: RoamTracker, seen_at: float
) -> None:
    tracker.process_batch([station(NOW + 8, BEDROOM, associated_at=NOW + 7)], NOW + 8)
    # The old access point keeps reporting the client.
    tracker.process_batch([station(seen_at, BEDROOM, associated_at=NOW + 7)], NOW + 10)
    newer = station(NOW + 9, OFFICE, associated_at=NOW + 8, received=NOW + 10)
    assert kinds(tracker.process_batch([newer], NOW + 10)) == [("roam", BEDROOM, OFFICE)]


def test_last_roam_before_a_disconnect_found_by_snapshots_does_not_reconnect(
    tracker: RoamTracker,
) -> None:
    other = station(NOW + 60, OFFICE, mac="aa:00:00:00:00:02")
    tracker.process_snapshot([other], NOW + 60)
    assert kinds(tracker.process_snapshot([other], NOW + 70)) == [("disconnected", HALL, None)]
    rows = [
        roam(NOW + 20, HALL, BEDROOM, received=NOW + 71, logged=True),
        disconnected(NOW + 30, BEDROOM, received=NOW + 71, logged=True),
    ]
    assert kinds(tracker.process_batch(rows, NOW + 71)) == [("roam", HALL, BEDROOM)]
    assert tracker.release_due(NOW + 100) == []
    assert not tracker.clients[PHONE].connected


@pytest.mark.parametrize("late", [0, 3], ids=["same time", "by the log's clock"])
@pytest.mark.parametrize(
    "arrival",
    [roam(NOW + 5, HALL, BEDROOM), connected(NOW + 5, BEDROOM)],
    ids=["roam", "connection"],
)
def test_system_log_rows_of_the_last_link_before_a_disconnect_found_by_snapshots_are_echoes(
    tracker: RoamTracker, arrival: EventRecord, late: float
) -> None:
    assert len(tracker.process_batch([arrival], NOW + 5)) == 1
    other = station(NOW + 60, OFFICE, mac="aa:00:00:00:00:02")
    tracker.process_snapshot([other], NOW + 60)
    assert kinds(tracker.process_snapshot([other], NOW + 70)) == [("disconnected", BEDROOM, None)]
    row = replace(arrival, time=NOW + 5 + late, received=NOW + 71, logged=True)
    assert tracker.process_batch([row], NOW + 71) == []
    assert not tracker.clients[PHONE].connected


def test_roams_there_and_back_before_a_disconnect_found_by_snapshots_are_two_roams(
    tracker: RoamTracker,
) -> None:
    tracker.process_batch([roam(NOW + 5, HALL, BEDROOM)], NOW + 5)
    other = station(NOW + 60, OFFICE, mac="aa:00:00:00:00:02")
    tracker.process_snapshot([other], NOW + 60)
    tracker.process_snapshot([other], NOW + 70)
    rows = [
        roam(NOW + 5, HALL, BEDROOM, received=NOW + 71, logged=True),
        roam(NOW + 7, BEDROOM, HALL, received=NOW + 71, logged=True),
        roam(NOW + 9, HALL, BEDROOM, received=NOW + 71, logged=True),
    ]
    events = tracker.process_batch(rows, NOW + 71)
    assert kinds(events) == [("roam", BEDROOM, HALL), ("roam", HALL, BEDROOM)]


def test_second_event_after_a_record_confirmed_the_link_is_another_roam(
    tracker: RoamTracker,
) -> None:
    tracker.process_batch([roam(NOW + 5, HALL, BEDROOM)], NOW + 5)
    tracker.process_batch([station(NOW + 30, BEDROOM, associated_at=NOW + 5)], NOW + 30)
    events = tracker.process_batch([roam(NOW + 35, HALL, BEDROOM)], NOW + 35)
    assert kinds(events) == [("roam", HALL, BEDROOM)]


def test_change_of_radio_before_a_disconnect_found_by_snapshots_does_not_reconnect(
    tracker: RoamTracker,
) -> None:
    other = station(NOW + 60, OFFICE, mac="aa:00:00:00:00:02")
    tracker.process_snapshot([other], NOW + 60)
    tracker.process_snapshot([other], NOW + 70)
    rows = [
        roam(NOW + 20, HALL, HALL, band_to="2.4", received=NOW + 71, logged=True),
        disconnected(NOW + 30, HALL, received=NOW + 71, logged=True),
    ]
    events = tracker.process_batch(rows, NOW + 71) + tracker.release_due(NOW + 100)
    assert [event for event in events if event.kind is not EventKind.ROAM_RADIO] == []
    assert not tracker.clients[PHONE].connected


def test_departure_from_elsewhere_implies_a_roam_there(tracker: RoamTracker) -> None:
    left = disconnected(NOW + 60, BEDROOM)
    assert tracker.process_batch([left], NOW + 61) == []
    events = tracker.release_due(NOW + 71)
    assert kinds(events) == [("roam", HALL, BEDROOM), ("disconnected", BEDROOM, None)]
    assert [event.inferred for event in events] == [True, False]
    assert not tracker.clients[PHONE].connected
    late = roam(NOW + 50, HALL, BEDROOM, received=NOW + 75)
    assert tracker.process_batch([late], NOW + 75) == []


def test_departure_from_elsewhere_during_a_short_absence_implies_a_round_trip(
    tracker: RoamTracker,
) -> None:
    left = disconnected(NOW + 60, HALL), disconnected(NOW + 63, BEDROOM)
    tracker.process_batch([left[0], connected(NOW + 64, HALL)], NOW + 64)
    events = tracker.process_batch([left[1]], NOW + 70) + tracker.release_due(NOW + 120)
    assert kinds(events) == [("roam", BEDROOM, HALL), ("roam", HALL, BEDROOM)]


def test_departure_that_implied_a_roam_is_emitted_once_although_the_client_comes_back(
    tracker: RoamTracker,
) -> None:
    tracker.process_batch([disconnected(NOW + 60, BEDROOM)], NOW + 60)
    tracker.process_batch([connected(NOW + 65, BEDROOM)], NOW + 65)
    assert kinds(tracker.release_due(NOW + 70)) == [("roam", HALL, BEDROOM)]
    assert tracker.next_due is None
    assert tracker.release_due(NOW + 200) == []


def test_departure_before_the_latest_record_implies_nothing(tracker: RoamTracker) -> None:
    tracker.process_batch([station(NOW + 62, HALL, associated_at=NOW - 3600)], NOW + 62)
    assert tracker.process_batch([disconnected(NOW + 60, BEDROOM)], NOW + 63) == []
    assert tracker.release_due(NOW + 120) == []


def test_return_that_the_controller_has_counted_is_no_change_of_radio(
    tracker: RoamTracker,
) -> None:
    first = station(NOW + 5, HALL, associated_at=NOW + 1, roam_count=3)
    back = station(NOW + 60, HALL, band="2.4", channel=1, associated_at=NOW + 40, roam_count=5)
    tracker.process_batch([first], NOW + 5)
    assert tracker.process_batch([back], NOW + 60) == []
    # Still none after what was before it has been forgotten.
    tracker.process_snapshot([replace_seen(back, NOW + 1000)], NOW + 1000)
    again = station(NOW + 1100, HALL, associated_at=NOW + 1050, roam_count=7)
    assert tracker.process_batch([again], NOW + 1100) == []


def replace_seen(record: StationRecord, time: float) -> StationRecord:
    return record._replace(seen_at=time, received=time)


def test_round_trip_taken_for_a_change_of_radio_emits_only_the_roam_there(
    tracker: RoamTracker,
) -> None:
    back = station(NOW + 60, HALL, band="2.4", channel=1, associated_at=NOW + 40)
    assert kinds(tracker.process_batch([back], NOW + 60)) == [("roam_radio", HALL, HALL)]
    there = roam(NOW + 30, HALL, BEDROOM, received=NOW + 65)
    returned = roam(NOW + 40.5, BEDROOM, HALL, band_to="2.4", received=NOW + 62)
    assert tracker.process_batch([returned], NOW + 62) == []
    assert kinds(tracker.process_batch([there], NOW + 65)) == [("roam", HALL, BEDROOM)]
    assert tracker.release_due(NOW + 200) == []


def test_implied_roam_waits_for_the_event_of_a_roam_that_the_controller_has_counted(
    tracker: RoamTracker,
) -> None:
    tracker.connection_opened(NOW + 1)
    first = station(NOW + 4, HALL, associated_at=NOW + 3, roam_count=0)
    tracker.process_batch([first, roam(NOW + 5, HALL, BEDROOM, band_to="5")], NOW + 6)
    moved = station(NOW + 60, HALL, associated_at=NOW + 50, roam_count=3)
    assert tracker.process_batch([moved], NOW + 60) == []
    assert tracker.clients[PHONE].ap_mac == HALL
    missing = roam(NOW + 40, BEDROOM, OFFICE, received=NOW + 70)
    events = tracker.process_batch([missing], NOW + 70)
    assert kinds(events) == [("roam", BEDROOM, OFFICE), ("roam", OFFICE, HALL)]


def test_implied_roam_is_emitted_although_an_event_that_the_controller_has_counted_is_lost(
    tracker: RoamTracker,
) -> None:
    tracker.connection_opened(NOW + 1)
    first = station(NOW + 4, HALL, associated_at=NOW + 3, roam_count=0)
    tracker.process_batch([first, roam(NOW + 5, HALL, BEDROOM, band_to="5")], NOW + 6)
    moved = station(NOW + 60, HALL, associated_at=NOW + 50, roam_count=3)
    assert tracker.process_batch([moved], NOW + 60) == []
    assert tracker.next_due is not None
    assert kinds(tracker.release_due(tracker.next_due)) == [("roam", BEDROOM, HALL)]


def test_implied_roam_does_not_wait_for_events_on_a_connection_that_delivers_none(
    tracker: RoamTracker,
) -> None:
    first = station(NOW + 4, HALL, associated_at=NOW + 3, roam_count=0)
    tracker.process_batch([first, roam(NOW + 5, HALL, BEDROOM, band_to="5")], NOW + 6)
    tracker.connection_opened(NOW + 30)
    moved = station(NOW + 60, HALL, associated_at=NOW + 50, roam_count=3)
    assert kinds(tracker.process_batch([moved], NOW + 60)) == [("roam", BEDROOM, HALL)]


def test_nothing_old_is_emitted_when_what_explained_it_is_forgotten(tracker: RoamTracker) -> None:
    for time, origin, target in ((100, HALL, BEDROOM), (200, BEDROOM, OFFICE)):
        tracker.process_batch([roam(NOW + time, origin, target)], NOW + time)
    # Its access point noticed late that the client had left.
    assert tracker.process_batch([disconnected(NOW + 300, BEDROOM)], NOW + 300) == []
    for time in range(1110, 1400, 10):
        record = station(NOW + time, OFFICE, associated_at=NOW + 200)
        assert tracker.process_batch([record], NOW + time) == []
    events = tracker.process_batch([roam(NOW + 1400, OFFICE, HALL)], NOW + 1400)
    events += tracker.release_due(NOW + 1500)
    assert kinds(events) == [("roam", OFFICE, HALL)]


def test_departure_in_whole_seconds_belongs_to_an_arrival_in_the_same_second(
    tracker: RoamTracker,
) -> None:
    events = tracker.process_batch([roam(NOW + 60.06, HALL, BEDROOM, band_to="5")], NOW + 61)
    left, back = disconnected(NOW + 60, BEDROOM), connected(NOW + 61.6, HALL)
    events += tracker.process_batch([left, back], NOW + 62)
    events += tracker.release_due(NOW + 200)
    assert kinds(events) == [("roam", HALL, BEDROOM), ("roam", BEDROOM, HALL)]


def test_second_report_with_another_time_after_a_reconnect_is_an_echo(
    tracker: RoamTracker,
) -> None:
    events = tracker.process_batch([disconnected(NOW + 25, HALL)], NOW + 25)
    events += tracker.process_batch([connected(NOW + 34, BEDROOM)], NOW + 34)
    row = roam(NOW + 38, HALL, BEDROOM, logged=True, received=NOW + 40)
    events += tracker.process_log([row], None, NOW + 40)
    assert kinds(events) == [("roam", HALL, BEDROOM)]
    assert tracker.next_due is None


def test_old_event_of_an_unknown_client_adds_no_client(tracker: RoamTracker) -> None:
    old = connected(NOW - 600, HALL, mac="aa:00:00:00:00:02", received=NOW + 1)
    assert tracker.process_batch([old], NOW + 1) == []
    assert len(tracker.clients) == 1


def test_event_of_the_future_does_not_keep_a_client_from_leaving(tracker: RoamTracker) -> None:
    early = roam(NOW + 3600, HALL, BEDROOM, received=NOW + 5)
    assert kinds(tracker.process_batch([early], NOW + 5)) == [("roam", HALL, BEDROOM)]
    other = [station(NOW + 60, OFFICE, mac="aa:00:00:00:00:02")]
    events = []
    for time in (60, 75, 90):
        events += tracker.process_snapshot(other, NOW + time)
    assert ("disconnected", BEDROOM, None) in kinds(events)
    assert all(event.time < NOW + 100 for event in events)
    assert tracker.recheck_due is None


def test_counted_roams_are_noticed_whatever_comes_first(tracker: RoamTracker) -> None:
    tracker.connection_opened(NOW + 1)
    tracker.process_batch([roam(NOW + 5, HALL, BEDROOM, band_to="5")], NOW + 5)
    tracker.process_batch([station(NOW + 6, BEDROOM, associated_at=NOW + 5, roam_count=7)], NOW + 6)
    moved = station(NOW + 60, OFFICE, associated_at=NOW + 50, roam_count=9)
    assert tracker.process_batch([moved], NOW + 60) == []
    missing = roam(NOW + 40, BEDROOM, HALL, received=NOW + 70)
    events = tracker.process_batch([missing], NOW + 70)
    assert kinds(events) == [("roam", BEDROOM, HALL), ("roam", HALL, OFFICE)]


def test_last_roam_is_on_the_controllers_clock_after_that_was_set_back(
    tracker: RoamTracker,
) -> None:
    tracker.process_batch([roam(NOW + 5, HALL, BEDROOM)], NOW + 5)
    back = roam(NOW - 3500, BEDROOM, HALL, received=NOW + 100)
    events = tracker.process_batch([back], NOW + 100)
    events += tracker.process_snapshot([station(NOW - 3490, HALL)], NOW + 110)
    assert kinds(events) == [("roam", BEDROOM, HALL)]
    assert tracker.clients[PHONE].last_roam == events[0].time == NOW - 3500


def test_row_of_a_short_absence_with_another_time_is_an_echo(tracker: RoamTracker) -> None:
    tracker.process_batch([disconnected(NOW + 20, HALL), connected(NOW + 22, HALL)], NOW + 22)
    row = disconnected(NOW + 24, HALL, logged=True, received=NOW + 60)
    assert tracker.process_log([row], None, NOW + 60) == []
    assert tracker.release_due(NOW + 200) == []


def test_change_of_radio_elsewhere_implies_a_roam_there(tracker: RoamTracker) -> None:
    changed = roam_radio(NOW + 60, BEDROOM, "2.4", 1, band_from="5", received=NOW + 61)
    events = tracker.process_batch([changed], NOW + 61)
    events += tracker.release_due(NOW + 200)
    assert kinds(events) == [("roam_radio", BEDROOM, BEDROOM), ("roam", HALL, BEDROOM)]


def test_departure_from_the_previous_access_point_is_believed_if_the_client_then_connects(
    tracker: RoamTracker,
) -> None:
    tracker.process_batch([roam(NOW + 5, HALL, BEDROOM)], NOW + 5)
    assert tracker.process_batch([disconnected(NOW + 60, HALL)], NOW + 61) == []
    events = tracker.process_batch([connected(NOW + 100, OFFICE)], NOW + 100)
    assert kinds(events) == [
        ("roam", BEDROOM, HALL),
        ("disconnected", HALL, None),
        ("connected", None, OFFICE),
    ]
