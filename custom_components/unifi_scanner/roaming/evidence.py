"""What a report proves about where one client was, and when.

All times are POSIX seconds on the controller's clock unless said otherwise.
"""

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from functools import lru_cache

from ..api.records import Link
from .models import Source

# Association times and departures are in whole seconds (docs/protocol.md 3.2, 3.3).
WHOLE_SECONDS = 1.5
# A row of the system log may give a roam another time than the event does [inferred].
LOG_DIFFERENCE = 5.0
# The controller computes association times from counters, so they vary by seconds.
ASSOCIATION_JITTER = 3.0
# An access point notices so late that a client has left it (docs/protocol.md 3.2).
LATEST_DEPARTURE = 600.0
# An access point reports to the controller at the latest after 27 s (docs/protocol.md 5), and until
# then may count a client that has left.
REPORT_INTERVAL = 30.0


class Proof(IntEnum):
    """What evidence proves; several pieces of one time are applied in this order."""

    # The controller says that the client left.
    DEPARTURE = 1
    # The client associated with a radio, and used it until a later time.
    ASSOCIATION = 2
    # The client used a radio; when it had associated is unknown.
    SIGHTING = 3
    # The controller says that the client arrived.
    ARRIVAL = 4
    # Two snapshots did not list the client.
    ABSENCE = 5


class Reported(IntFlag):
    """What has been reported because of evidence."""

    NOTHING = 0
    # A departure, or an arrival at an access point, at the time of the evidence.
    ITSELF = 1
    # A change of radio at that time.
    RADIO = 2
    # The arrival at the origin of a roam, which the roam implies.
    ORIGIN = 4
    ALL = 7


@dataclass(slots=True)
class Evidence:
    """One report about a client, at the time it is about.

    `link` is what the client arrived at, used or left; None for a departure from wherever it was.
    `until` is the last time at which a record shows the client there. `due` is when a departure, or
    an arrival that a roam only implies, may be reported, in event-loop time. `roam_count` is the
    controller's own count of the client's roams, if a record has it (docs/protocol.md 3.3).
    """

    time: float
    proof: Proof
    link: Link | None
    source: Source
    link_from: Link | None = None
    until: float = 0.0
    due: float = 0.0
    signal: int | None = None
    roam_count: int | None = None
    reported: Reported = Reported.NOTHING

    @property
    def order(self) -> tuple[float, Proof]:
        """The sort key among the evidence about a client."""
        return self.time, self.proof

    def repeats(self, other: Evidence) -> bool:
        """Return whether both say the same about the same time.

        The system log may give a departure another time than the event does.
        """
        is_logged = (self.source is Source.SYSTEM_LOG) is not (other.source is Source.SYSTEM_LOG)
        tolerance = LOG_DIFFERENCE if is_logged and self.proof is Proof.DEPARTURE else 0.0
        return (
            abs(self.time - other.time) <= tolerance
            and self.proof is other.proof
            and _radio(self.link) == _radio(other.link)
            and _radio(self.link_from)[0] == _radio(other.link_from)[0]
        )

    def extend(self, record: Evidence) -> bool:
        """Add what a later record of the same link shows; return whether it is later."""
        if self.link is None or record.link is None or record.until <= self.until:
            return False
        self.until = record.until
        self.link = completed(self.link, record.link)
        if record.roam_count is not None:
            self.roam_count = record.roam_count
        return True


def _radio(link: Link | None) -> tuple[object, object]:
    return (None, None) if link is None else (link.ap_mac, link.band)


@lru_cache(maxsize=1024)
def shared(link: Link) -> Link:
    """Return an equal link that all clients share: a site has few, and evidence is kept of many."""
    return link


def completed(link: Link, known: Link) -> Link:
    """Return a link with what it lacks taken from another one."""
    if None not in link:
        return shared(link)
    return shared(
        Link(
            link.ap_mac,
            link.band or known.band,
            link.channel or known.channel,
            link.ssid or known.ssid,
        )
    )
