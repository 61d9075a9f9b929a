"""What the tracker knows of a client, and what it tells."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from ..api.records import Band, EventKind, Link


class Source(StrEnum):
    """Where a fact came from."""

    EVENT = "event"
    SYNC = "sync"
    RESYNC = "resync"
    SYSTEM_LOG = "system_log"


class ClientState(NamedTuple):
    """A wireless client as it is now. Times are POSIX seconds by the controller's clock.

    `link` is None while the client is not connected. `signal` is in dBm, and None until a record
    reports it for the present link.
    """

    mac: str
    name: str
    guest: bool
    link: Link | None
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
        return self.link is not None

    @property
    def ap_mac(self) -> str | None:
        """The access point that the client is on, None while it is not connected."""
        return None if self.link is None else self.link.ap_mac

    def differs_in_signal_only(self, other: ClientState | None) -> bool:
        """Return whether another state is the same but for the signal, as with most records."""
        return other is not None and self[:-1] == other[:-1]


class ClientEvent(NamedTuple):
    """Something that happened to a client, told exactly once.

    A roam has both links, a connection only `link_to`, a disconnection only `link_from`; a change
    of radio has the same access point in both. `time` is POSIX seconds by the controller's clock;
    `signal` is in dBm, on the new link or, for a disconnection, on the last one. `roam_gap` is in
    seconds between leaving and arriving; `inferred`: the controller did not itself say it.
    """

    kind: EventKind
    mac: str
    name: str
    guest: bool
    link_from: Link | None
    link_to: Link | None
    signal: int | None
    time: float
    source: Source
    inferred: bool
    roam_gap: float | None

    @property
    def ap_from(self) -> str | None:
        """The access point that the client left."""
        return None if self.link_from is None else self.link_from.ap_mac

    @property
    def ap_to(self) -> str | None:
        """The access point that the client is on now."""
        return None if self.link_to is None else self.link_to.ap_mac


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A client's arrival at an access point, between `earliest` and `since` by our clock.

    `time` is the controller's, and so is `linked`: when the link began at the earliest, None when
    that is not known. Without `link_from` it comes from where it was last.
    """

    link: Link
    earliest: float
    since: float
    linked: float | None
    seen: float
    received: float
    time: float
    source: Source
    inferred: bool
    link_from: Link | None = None
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
    link: Link
    link_from: Link | None = None


__all__ = [
    "Arrival",
    "Band",
    "ClientEvent",
    "ClientState",
    "EventKind",
    "Link",
    "RadioChange",
    "Source",
]
