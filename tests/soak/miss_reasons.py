"""Legitimate reasons for not reporting a change."""

from enum import StrEnum
from itertools import takewhile
from math import inf

from .ground_truth import Change, Delivery, GroundTruth

# Tolerance in seconds, because records and departures are dated in whole seconds.
SLACK = 1.6
# A second report of the same roam within this time is an echo (docs/architecture.md).
ECHO = 60.0
# Events dated further back than this are replays (roaming/clock.py).
REPLAY = 900.0
# Number of snapshots without a client that reveal its departure without an event.
ABSENCES = 3

_ARRIVAL = Delivery.ROAM | Delivery.CONNECTED | Delivery.SYNC | Delivery.SNAPSHOT | Delivery.LOG
_RECORDS = Delivery.SYNC | Delivery.SNAPSHOT
_EVENTS = Delivery.ROAM | Delivery.CONNECTED | Delivery.DISCONNECTED
_DEPARTURE = Delivery.DISCONNECTED | Delivery.LOG


class Reason(StrEnum):
    """Why a change could not, or should not, have been reported."""

    NOT_DELIVERED = "not delivered by any source"
    OVERTAKEN = "delivered only by records after a newer change"
    SHORT = "absence shorter than the disconnect delay"
    BACK = "returned before its departure was delivered"
    ECHO = "looks like an echo, as the return in between was not delivered"
    HOME = "its return was already reported at the next access point"
    AWAY = "left before its arrival was delivered"
    LATE = "delivered after the client had returned"
    EARLY = "departure delivered before the arrival"
    COVERED = "in the system log only, after its outcome had been reported"
    REPLAY = "delivered so late that it counts as a replay"
    UNLOADED = "the entry was not loaded"


class MissReasons:
    """Finds the reason why a change was not reported; `changes` are all those of its client."""

    def __init__(self, truth: GroundTruth, disconnect_delay: float) -> None:
        """Prepare for one run; `disconnect_delay` in seconds."""
        self._truth = truth
        self._short = disconnect_delay + SLACK
        self._delay = disconnect_delay

    def find(self, change: Change, changes: list[Change]) -> Reason | None:
        """Return the reason why a change was not reported, None when it should have been."""
        delivered = change.deliveries & (_ARRIVAL if change.arrives else _DEPARTURE)
        if not delivered and change.absent < ABSENCES:
            overtaken = change.deliveries & Delivery.OVERTAKEN
            return Reason.OVERTAKEN if overtaken else Reason.NOT_DELIVERED
        if delivered and self._is_unloaded(change):
            return Reason.UNLOADED
        is_old = change.delivered_at is not None and change.delivered_at - change.at > REPLAY
        if is_old and delivered and not delivered & ~_EVENTS:
            return Reason.REPLAY
        if not change.arrives:
            return self._departure_reason(change, changes)
        was_away = change.before is None or change.departure_reported
        if was_away and (reason := self._return_reason(change, changes)):
            return reason
        return (
            _overtaken(change, changes)
            or _same_place_before(change, changes)
            or _same_place_after(change, changes)
        )

    def _is_unloaded(self, change: Change) -> bool:
        if change.delivered_at is None:
            return False
        period = self._truth.loaded_periods[change.period]
        # A held departure is lost when the entry is unloaded.
        is_held = not change.arrives and period.ended - change.delivered_at < self._delay
        return change.at <= period.began or is_held

    def _departure_reason(self, change: Change, changes: list[Change]) -> Reason | None:
        if change.end - change.at <= self._short:
            return Reason.SHORT
        back = changes[change.index + 1] if change.index + 1 < len(changes) else None
        if (
            back
            and back.delivered_at is not None
            and back.delivered_at <= (change.delivered_at or inf)
        ):
            return Reason.LATE
        arrival = changes[change.index - 1]
        arrived_at = arrival.delivered_at or inf
        is_early = change.delivered_at is not None and arrived_at > change.delivered_at
        if arrival.index and is_early and change.absent < ABSENCES:
            return Reason.EARLY
        # Find the client's last known access point.
        for known in reversed(changes[: change.index]):
            if known.reported or known.departure_reported or known.index == 0:
                is_right = known.after == change.before and (known.reported or not known.index)
                return None if is_right or change.absent >= ABSENCES else Reason.AWAY
        return None

    def _return_reason(self, change: Change, changes: list[Change]) -> Reason | None:
        left = changes[change.index - 1]
        if not left.departure_reported and not left.arrives and change.at - left.at <= self._short:
            return Reason.SHORT
        following = takewhile(lambda later: later.arrives, changes[change.index + 1 :])
        reported = next((later for later in following if later.reported), None)
        return Reason.HOME if reported and reported.reported == "connected" else None


def _overtaken(change: Change, changes: list[Change]) -> Reason | None:
    """Find a later change that was delivered or reported no later than this one."""
    delivered = change.deliveries & _ARRIVAL
    at = inf if change.delivered_at is None else change.delivered_at
    following = changes[change.index + 1 :]
    if not delivered & ~_RECORDS and any((later.delivered_at or inf) <= at for later in following):
        return Reason.OVERTAKEN
    if delivered == Delivery.LOG and any(later.reported_at <= at for later in following):
        return Reason.COVERED
    return None


def _same_place_before(change: Change, changes: list[Change]) -> Reason | None:
    """Find an earlier link to the same access point with nothing known in between in time."""
    moved_on = min((later.reported_at for later in changes[change.index + 1 :]), default=inf)
    for known in reversed(changes[: change.index]):
        if known.after == change.after:
            if change.before is None or not change.deliveries & (Delivery.ROAM | Delivery.LOG):
                return Reason.BACK
            return Reason.ECHO if change.at - known.at <= ECHO else None
        # A report after the client was already reported at its next access point does not count.
        is_late = known.arrives and known.reported_at > moved_on
        if known.reported and not is_late:
            return None
    return None


def _same_place_after(change: Change, changes: list[Change]) -> Reason | None:
    """Find a later, reported link to the same access point with nothing known in between."""
    for later in changes[change.index + 1 :]:
        if later.reported or later.departure_reported:
            # One report covers both links.
            return Reason.BACK if later.after == change.after else None
    return None
