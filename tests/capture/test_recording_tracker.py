"""RecordingTracker offers everything that RoamTracker does, and can be restored from a capture."""

import inspect
import json

import pytest

from custom_components.unifi_scanner.capture.recorder import CaptureRecorder
from custom_components.unifi_scanner.capture.recording_tracker import RecordingTracker
from custom_components.unifi_scanner.roaming import RoamTracker
from tests.replay.capture import capture_from, event_as_json
from tests.replay.synthetic import RecordedSite
from tests.replay.tracker_player import play_steps

# What only a recorder needs.
EXPORTS = {"CLIENT_FIELDS", "export_client", "export_state", "held_back"}


def public_names(value: object) -> set[str]:
    return {name for name in dir(value) if not name.startswith("_")}


def test_a_recording_tracker_has_the_public_names_of_a_roam_tracker() -> None:
    recording = RecordingTracker(RoamTracker(5.0), CaptureRecorder())
    assert public_names(recording) == public_names(RoamTracker()) - EXPORTS
    assert recording.disconnect_delay == 5.0
    for name, method in inspect.getmembers(RoamTracker, inspect.isfunction):
        if not name.startswith("_") and name not in EXPORTS:
            parameters = inspect.signature(getattr(recording, name)).parameters
            assert [*parameters] == [*inspect.signature(method).parameters][1:], name


def test_a_recording_tracker_shows_the_present_state_of_its_tracker() -> None:
    site = RecordedSite(clients=3)
    recording = site.tracker
    clients, per_access_point = recording.clients, recording.clients_per_access_point
    assert (len(clients), recording.connected_clients) == (0, 0)
    site.snapshot()
    assert len(clients) == sum(per_access_point.values()) == recording.connected_clients == 3
    site.receive_event(site.world.disconnect(site.clients[0].mac))
    assert recording.next_due == site.now + recording.disconnect_delay
    assert recording.controller_time(site.now) == site.now
    assert recording.recheck_due is None
    site.world.disconnect(site.clients[1].mac)
    site.now += 60
    site.snapshot()
    assert recording.recheck_due == site.now + recording.disconnect_delay


def test_a_recording_starts_anew_when_the_disconnect_delay_changes() -> None:
    site = RecordedSite(clients=3)
    site.snapshot()
    entries = site.recorder.export()["entries"]
    site.tracker.disconnect_delay = site.tracker.disconnect_delay
    assert site.recorder.export()["entries"] == entries != []
    site.tracker.disconnect_delay = 42.0
    capture = site.recorder.export()
    assert capture["entries"] == []
    assert capture["state"]["memory"]["disconnect_delay"] == site.tracker.disconnect_delay == 42.0


def test_a_restored_recording_tracker_repeats_the_events_and_records_them_again() -> None:
    site = RecordedSite(seed=4)
    site.run(300)
    # Starts a new recording, in which the clients are known already.
    site.tracker.set_names({client.mac: client.name for client in site.clients})
    before = len(site.events)
    site.run(600)
    first = capture_from(json.loads(json.dumps(site.recorder.export())))
    assert len(first.clients) == 4
    assert len(first.state["names"]) == 4
    assert len(first.events) == len(site.events) - before > 20

    recorder = CaptureRecorder()
    tracker = RecordingTracker(RoamTracker(), recorder)
    tracker.restore(first.state, first.clients)
    events = [event_as_json(event) for event in play_steps(tracker, first.steps)]
    assert events == first.events
    second = json.loads(json.dumps(recorder.export()))
    assert {**second["state"]["memory"], "names": first.state["names"]} == first.state
    assert len(second["state"]["clients"]) == len(first.clients)
    assert [event["time"] for event in second["events"]] == [
        event["time"] for event in first.events
    ]


def test_a_broken_state_changes_nothing() -> None:
    site = RecordedSite()
    site.snapshot()
    exported = json.loads(json.dumps(site.recorder.export()))["state"]
    tracker = RoamTracker()
    tracker.set_names({"02:00:00:00:00:0a": "Anna"})
    before = tracker.export_state()
    with pytest.raises(KeyError):
        tracker.restore({**exported["memory"], "missing": [{}]}, [])
    with pytest.raises(KeyError):
        tracker.restore(exported["memory"], [{"state": {}}])
    assert tracker.export_state() == before
