"""A client's state, and the events about it."""

from enum import StrEnum
from typing import NamedTuple

from ..api.records import Band, EventKind, Link


class Source(StrEnum):
    """How something was learned."""

    EVENT = "event"
    SYNC = "sync"
    RESYNC = "resync"
    SYSTEM_LOG = "system_log"


class ClientState(NamedTuple):
    """The current state of a wireless client. Times are POSIX seconds on the controller's clock.

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
    # The last field, so that all others can be compared at once.
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
    """Something that happened to a client, reported exactly once.

    A roam has both links, a connection only `link_to`, a disconnection only `link_from`; a change
    of radio has the same access point in both. `time` is POSIX seconds on the controller's clock.
    `signal` is in dBm, on the new link or, for a disconnection, on the last one. `roam_gap` is in
    seconds between leaving and arriving. `inferred` means that the controller did not say so
    itself, `late` that it is reported more than a minute after it happened.
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
    late: bool = False

    @property
    def ap_from(self) -> str | None:
        """The access point that the client left."""
        return None if self.link_from is None else self.link_from.ap_mac

    @property
    def ap_to(self) -> str | None:
        """The access point that the client is on now."""
        return None if self.link_to is None else self.link_to.ap_mac


__all__ = ["Band", "ClientEvent", "ClientState", "EventKind", "Link", "Source"]
