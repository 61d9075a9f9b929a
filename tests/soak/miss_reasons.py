"""Why a change was rightly not reported."""

from enum import StrEnum
from itertools import takewhile
from math import inf

from .ground_truth import Change, Told, Truth

# Records and departures count in whole seconds.
SLACK = 1.6
# Within it, a second telling of the same roam is taken for an echo (docs/architecture.md).
ECHO = 60.0
# Events that the controller dates further back are no news (roaming/clock.py).
REPLAY = 900.0
# Snapshots that must have missed a client for its departure to be known without an event.
ABSENCES = 3

_ARRIVAL = Told.ROAM | Told.CONNECTED | Told.SYNC | Told.SNAPSHOT | Told.LOG
_RECORDS = Told.SYNC | Told.SNAPSHOT
_EVENTS = Told.ROAM | Told.CONNECTED | Told.DISCONNECTED
_DEPARTURE = Told.DISCONNECTED | Told.LOG


class Reason(StrEnum):
    """Why nobody could, or should, have reported a change."""

    UNTOLD = "told by no source"
    OVERTAKEN = "told only by records that newer news had overtaken"
    SHORT = "an absence within the disconnect delay"
    BACK = "back before its leaving was told"
    ECHO = "told like an echo, its way back was told by no source"
    HOME = "its coming was told already, at the next access point"
    AWAY = "gone before its coming was told"
    LATE = "told after it was back"
    EARLY = "told to leave where it had not been told to come yet"
    COVERED = "in the system log only, after its outcome had been reported"
    REPLAY = "told so late that it could only be a replay"
    UNLOADED = "the entry was not loaded"


class Excuses:
    """Knows what could be known, from what was told; `changes` are a client's, all of them."""

    def __init__(self, truth: Truth, disconnect_delay: float) -> None:
        """Prepare for one run."""
        self._truth = truth
        self._short = disconnect_delay + SLACK
        self._delay = disconnect_delay

    def find(self, change: Change, changes: list[Change]) -> Reason | None:
        """Return the reason why a change was not reported, None when it should have been."""
        told = change.told & (_ARRIVAL if change.arrives else _DEPARTURE)
        if not told and change.absent < ABSENCES:
            return Reason.OVERTAKEN if change.told & Told.OVERTAKEN else Reason.UNTOLD
        if told and self._is_unloaded(change):
            return Reason.UNLOADED
        is_old = change.told_at is not None and change.told_at - change.at > REPLAY
        if is_old and told and not told & ~_EVENTS:
            return Reason.REPLAY
        if not change.arrives:
            return self._departure(change, changes)
        was_away = change.before is None or change.leaving_reported
        if was_away and (reason := self._coming_home(change, changes)):
            return reason
        return (
            _overtaken(change, changes)
            or _same_place_before(change, changes)
            or _same_place_after(change, changes)
        )

    def _is_unloaded(self, change: Change) -> bool:
        if change.told_at is None:
            return False
        era = self._truth.eras[change.era]
        # A departure that was still held back is lost with the entry.
        is_held = not change.arrives and era.ended - change.told_at < self._delay
        return change.at <= era.began or is_held

    def _departure(self, change: Change, changes: list[Change]) -> Reason | None:
        if change.end - change.at <= self._short:
            return Reason.SHORT
        back = changes[change.index + 1] if change.index + 1 < len(changes) else None
        if back and back.told_at is not None and back.told_at <= (change.told_at or inf):
            return Reason.LATE
        came = changes[change.index - 1]
        is_early = change.told_at is not None and (came.told_at or inf) > change.told_at
        if came.index and is_early and change.absent < ABSENCES:
            return Reason.EARLY
        # Where was it believed to be before?
        for known in reversed(changes[: change.index]):
            if known.reported or known.leaving_reported or known.index == 0:
                is_right = known.after == change.before and (known.reported or not known.index)
                return None if is_right or change.absent >= ABSENCES else Reason.AWAY
        return None

    def _coming_home(self, change: Change, changes: list[Change]) -> Reason | None:
        left = changes[change.index - 1]
        if not left.leaving_reported and not left.arrives and change.at - left.at <= self._short:
            return Reason.SHORT
        following = takewhile(lambda later: later.arrives, changes[change.index + 1 :])
        told = next((later for later in following if later.reported), None)
        return Reason.HOME if told and told.reported == "connected" else None


def _overtaken(change: Change, changes: list[Change]) -> Reason | None:
    """Look for what came after it and was told, or reported, at least as early."""
    told = change.told & _ARRIVAL
    at = inf if change.told_at is None else change.told_at
    following = changes[change.index + 1 :]
    if not told & ~_RECORDS and any((later.told_at or inf) <= at for later in following):
        return Reason.OVERTAKEN
    if told == Told.LOG and any(later.reported_at <= at for later in following):
        return Reason.COVERED
    return None


def _same_place_before(change: Change, changes: list[Change]) -> Reason | None:
    """Look for a stay before at the same place, with nothing known in between in time."""
    moved_on = min((later.reported_at for later in changes[change.index + 1 :]), default=inf)
    for known in reversed(changes[: change.index]):
        if known.after == change.after:
            if change.before is None or not change.told & (Told.ROAM | Told.LOG):
                return Reason.BACK
            return Reason.ECHO if change.at - known.at <= ECHO else None
        # What is learned only when it has been reported at the next place does not count.
        is_late = known.arrives and known.reported_at > moved_on
        if known.reported and not is_late:
            return None
    return None


def _same_place_after(change: Change, changes: list[Change]) -> Reason | None:
    """Look for a stay after at the same place, reported, with nothing known in between."""
    for later in changes[change.index + 1 :]:
        if later.reported or later.leaving_reported:
            # One report stands for both.
            return Reason.BACK if later.after == change.after else None
    return None
