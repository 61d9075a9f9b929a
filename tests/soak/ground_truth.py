"""What truly happened, and what of it was told by which source."""

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from enum import IntFlag
from math import inf


class Told(IntFlag):
    """How a change was told to Home Assistant."""

    NOT = 0
    # An event of the controller: the roam with both ends, an arrival, a departure.
    ROAM = 1
    CONNECTED = 2
    DISCONNECTED = 4
    # A client record of the stream, or of a snapshot, while nothing newer was known.
    SYNC = 8
    SNAPSHOT = 16
    # A client record that newer news had overtaken.
    OVERTAKEN = 32
    # A row of the system log.
    LOG = 64


@dataclass(slots=True, kw_only=True)
class Change:
    """A client's change of access point; None stands for away. Times are POSIX seconds.

    `end` is when the next change happened, `told_at` when it was first told, `era` the era of the
    entry at that time; `absent` counts the snapshots that did not list the client. A roam that was
    told as leaving and arriving can be reported as both.
    """

    mac: str
    index: int
    at: float
    before: str | None
    after: str | None
    end: float = inf
    told: Told = Told.NOT
    told_at: float | None = None
    era: int = 0
    absent: int = 0
    reported: str | None = None
    reported_at: float = inf
    leaving_reported: bool = False

    @property
    def arrives(self) -> bool:
        """Whether the client is connected after it."""
        return self.after is not None


@dataclass(slots=True)
class Link:
    """A client's link by one radio, from `at` to `end`; `band` as the integration words it."""

    ap: str
    band: str
    at: float
    end: float = inf


@dataclass(slots=True)
class Era:
    """The life of a set-up entry: it knows the past only from its first snapshot on."""

    began: float
    ended: float = inf


@dataclass(slots=True)
class Truth:
    """All changes of all clients; the first one of each is where it was at the beginning."""

    changes: dict[str, list[Change]] = field(default_factory=lambda: defaultdict(list))
    links: dict[str, list[Link]] = field(default_factory=lambda: defaultdict(list))
    eras: list[Era] = field(default_factory=list)
    # What an event says when it is delivered: (client, verb, time in ms).
    meanings: dict[tuple[str, str, int], tuple[Change, Told]] = field(default_factory=dict)
    newest: dict[str, int] = field(default_factory=dict)
    # A controller that had an outage may list only some of its clients for a while.
    doubted_until: float = 0.0

    def begin(self, mac: str, ap: str | None, at: float) -> None:
        """Note where a client is at first."""
        self.changes[mac].append(Change(mac=mac, index=0, at=at, before=None, after=ap))

    def add(self, mac: str, at: float, after: str | None) -> Change:
        """Note a change."""
        changes = self.changes[mac]
        last = changes[-1]
        last.end = at
        change = Change(mac=mac, index=len(changes), at=at, before=last.after, after=after)
        changes.append(change)
        return change

    def link(self, mac: str, at: float, ap: str | None, band: str) -> None:
        """Note a new link of a client, None for the end of one."""
        links = self.links[mac]
        if links:
            links[-1].end = min(links[-1].end, at)
        if ap is not None:
            links.append(Link(ap, band, at))

    def means(self, change: Change, verb: str, time: float, told: Told) -> None:
        """Note what an event of this verb and time will tell."""
        self.meanings[change.mac, verb, round(time * 1000)] = (change, told)

    def tell_event(self, mac: str, verb: str, milliseconds: int, now: float) -> None:
        """Note that an event was delivered."""
        if (meaning := self.meanings.get((mac, verb, milliseconds))) is not None:
            self._tell(*meaning, now)

    def tell_record(self, mac: str, ap: str | None, associated: int, now: float, how: Told) -> None:
        """Note that a client record was delivered: it tells of the stay that began by then."""
        for change in reversed(self.changes.get(mac, ())):
            if change.after == ap and int(change.at) <= associated <= change.end:
                overtaken = change.index < self.newest.get(mac, 0)
                self._tell(change, Told.OVERTAKEN if overtaken else how, now)
                return

    def tell_absence(self, mac: str, now: float) -> None:
        """Note that a snapshot did not list a client."""
        change = self.at(mac, now)
        if change is None or change.arrives or now < self.doubted_until:
            return
        if change.at > self.eras[-1].began:
            change.absent += 1

    def tell_log_row(self, mac: str, milliseconds: int, after: str | None, now: float) -> None:
        """Note that a row of the system log was delivered."""
        for change in reversed(self.changes.get(mac, ())):
            if round(change.at * 1000) == milliseconds and change.after == after:
                self._tell(change, Told.LOG, now)
                return

    def snapshot(self, now: float) -> None:
        """Note that a snapshot was given: the first one of an entry begins its era."""
        if not self.eras or self.eras[-1].ended <= now:
            self.eras.append(Era(now))

    def unloaded(self, now: float) -> None:
        """Note that the entry was unloaded."""
        if self.eras:
            self.eras[-1].ended = min(self.eras[-1].ended, now)

    def at(self, mac: str, now: float) -> Change | None:
        """Return the change by which a client is where it is at a time."""
        changes = self.changes.get(mac)
        if not changes:
            return None
        index = bisect_right(changes, now, key=lambda change: change.at)
        return changes[index - 1] if index else None

    def _tell(self, change: Change, told: Told, now: float) -> None:
        if not self.eras or self.eras[-1].ended <= now:
            return
        change.told |= told
        # That it has left tells nothing of where it has come to.
        is_half = change.arrives and told is Told.DISCONNECTED
        if change.told_at is None and not is_half:
            change.told_at = now
            change.era = len(self.eras) - 1
        if is_half:
            return
        self.newest[change.mac] = max(self.newest.get(change.mac, 0), change.index)
