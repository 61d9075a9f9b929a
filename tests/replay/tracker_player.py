"""Lets a tracker live a capture again."""

from custom_components.unifi_scanner.roaming import ClientEvent, RoamTracker

from .capture import Capture


def play(capture: Capture) -> list[ClientEvent]:
    """Return what the tracker tells when it is given the same again."""
    tracker = RoamTracker(capture.memory.disconnect_delay)
    revive(tracker, capture)
    told: list[ClientEvent] = []
    for step in capture.steps:
        match step.what:
            case "observe":
                told += tracker.process_batch(step.batch or step.rows, step.at)
            case "snapshot":
                told += tracker.process_snapshot(step.stations, step.at)
            case "advance":
                told += tracker.release_due(step.at)
            case "doubt":
                tracker.suspend_departures(step.at)
    return told


def revive(tracker: RoamTracker, capture: Capture) -> None:
    """Let a tracker remember, and nothing else, what another one did when the capture began."""
    memory, registry = capture.memory, tracker._registry
    tracker._clock.offset, tracker._clock.known = memory.offset, memory.knows_clock
    tracker._primed = memory.primed
    tracker._empty_since = memory.empty_since
    tracker._doubted_until = memory.doubted_until
    tracker._now = memory.now
    for mac in list(registry.tracks):
        registry._drop(mac)
    tracker.set_names({called.mac: called.name for called in memory.names})
    for track in capture.tracks:
        state = track.state
        registry.tracks[state.mac] = track
        registry.states[state.mac] = state
        if state.ap_mac is None:
            registry.away[state.mac] = track.since or track.first
        else:
            registry._count(state.ap_mac, 1)
    registry.held.update((due.mac, due.due) for due in memory.held if due.mac in registry.tracks)
    registry.rechecks.update(
        (due.mac, due.due) for due in memory.rechecks if due.mac in registry.tracks
    )
