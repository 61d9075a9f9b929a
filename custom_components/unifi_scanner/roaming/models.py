"""What the tracker knows of a client, and what it tells."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from ..api.records import Band, EventKind


class Source(StrEnum):
    """Where a fact came from."""

    EVENT = "event"
    SYNC = "sync"
    RESYNC = "resync"
    SYSTEM_LOG = "system_log"


class ClientState(NamedTuple):
    """A wireless client as it is now. Times are POSIX seconds by the controller's clock.

    `ap_mac` is None while the client is not connected; what belongs to the link (SSID, band,
    channel, signal) is then None too. `signal` is in dBm and None until a record tells it for the
    present link.
    """

    mac: str
    name: str
    guest: bool
    ap_mac: str | None
    ssid: str | None
    band: Band | None
    channel: int | None
    connected_since: float | None
    previous_ap_mac: str | None
    last_roam: float | None
    roam_count: int | None
    ip: str | None
    # The last one, as all before it is compared in one go.
    signal: int | None

    @property
    def connected(self) -> bool:
        """Whether the client has a link to an access point."""
        return self.ap_mac is not None

    def differs_in_signal_only(self, other: ClientState | None) -> bool:
        """Return whether another state is the same but for the signal, as with most records."""
        return other is not None and self[:-1] == other[:-1]


class ClientEvent(NamedTuple):
    """Something that happened to a client, told exactly once.

    A roam has both access points, a connection only `ap_to`, a disconnection only `ap_from`, a
    change of radio the same one at both. `time` is POSIX seconds by the controller's clock;
    `signal` is in dBm, on the new link or, for a disconnection, on the last one. `roam_gap` is in
    seconds between leaving and arriving; `inferred`: the controller did not itself say it.
    """

    kind: EventKind
    mac: str
    name: str
    guest: bool
    ssid: str | None
    ap_from: str | None
    ap_to: str | None
    band_from: Band | None
    band_to: Band | None
    channel_from: int | None
    channel_to: int | None
    signal: int | None
    time: float
    source: Source
    inferred: bool
    roam_gap: float | None


__all__ = ["Band", "ClientEvent", "ClientState", "EventKind", "Source"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A client's arrival at an access point, between `earliest` and `since` by our clock.

    `time` is the controller's, and so is `linked`: when the link began at the earliest, None when
    that is not known. Without `ap_from` it comes from where it was last.
    """

    ap_to: str
    earliest: float
    since: float
    linked: float | None
    seen: float
    received: float
    time: float
    source: Source
    inferred: bool
    ssid: str | None
    band: Band | None
    channel: int | None
    ap_from: str | None = None
    band_from: Band | None = None
    channel_from: int | None = None
    signal: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RadioChange:
    """A client's change to another band or channel at the same access point.

    It happened between `earliest` and `at` by our clock; `time` is the controller's.
    """

    earliest: float
    at: float
    time: float
    source: Source
    inferred: bool
    band_to: Band | None
    channel_to: int | None
    band_from: Band | None
    channel_from: int | None
