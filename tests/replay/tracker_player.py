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
                told += tracker.observe(step.batch or step.rows, step.at)
            case "snapshot":
                told += tracker.snapshot(step.stations, step.at)
            case "advance":
                told += tracker.advance(step.at)
            case "doubt":
                tracker.doubt(step.at)
    return told


def revive(tracker: RoamTracker, capture: Capture) -> None:
    """Let a tracker remember, and nothing else, what another one did when the capture began."""
    memory, ledger = capture.memory, tracker._ledger
    tracker._clock.offset, tracker._clock.known = memory.offset, memory.knows_clock
    tracker._primed = memory.primed
    tracker._empty_since = memory.empty_since
    tracker._doubted_until = memory.doubted_until
    tracker._now = memory.now
    for mac in list(ledger.tracks):
        ledger._drop(mac)
    tracker.call({called.mac: called.name for called in memory.names})
    for track in capture.tracks:
        state = track.state
        ledger.tracks[state.mac] = track
        ledger.states[state.mac] = state
        if state.ap_mac is None:
            ledger.away[state.mac] = track.since or track.first
        else:
            ledger._count(state.ap_mac, 1)
    ledger.held.update((due.mac, due.due) for due in memory.held if due.mac in ledger.tracks)
    ledger.rechecks.update(
        (due.mac, due.due) for due in memory.rechecks if due.mac in ledger.tracks
    )
