"""What the simulated controller knows: sites, access points, clients and what happened to them."""

from dataclasses import dataclass, field
from enum import StrEnum
import hashlib
from typing import Any

type Json = dict[str, Any]

# signal == rssi - 96 in every public record (protocol.md 3.3).
RSSI_OFFSET = 96


class Flavour(StrEnum):
    """Kind of controller: decides paths, cookies and error format (docs/protocol.md 1, 2)."""

    UNIFI_OS = "unifi_os"
    SELF_HOSTED = "self_hosted"


class Generation(StrEnum):
    """What the event socket tells of a client: EVT frames and sync records, or the records only."""

    EVENTS = "events"
    SYNC_ONLY = "sync_only"


class Band(StrEnum):
    """Radio codes of the wire: 2.4, 5 and 6 GHz (protocol.md 3.3)."""

    NG = "ng"
    NA = "na"
    SIX = "6e"

    @property
    def frequency(self) -> str:
        """The band as the system log words it."""
        return {"ng": "2.4 GHz", "na": "5 GHz", "6e": "6 GHz"}[self.value]

    @property
    def radio_name(self) -> str:
        """Name of the access point's radio."""
        return {"ng": "ra0", "na": "rai0", "6e": "rax0"}[self.value]

    @property
    def width(self) -> int:
        """Channel width in MHz."""
        return {"ng": 20, "na": 80, "6e": 160}[self.value]

    @property
    def protocol(self) -> str:
        """Generation of the radio protocol as client records name it."""
        return {"ng": "ng", "na": "ac", "6e": "6e"}[self.value]


class MovementKind(StrEnum):
    """What can happen to a client."""

    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    ROAM = "roam"
    ROAM_RADIO = "roam_radio"


def object_id(*parts: str) -> str:
    """Return the 24 hex digits the controller's database would use, the same at every start."""
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:24]


@dataclass(slots=True, kw_only=True)
class Site:
    """A site: `name` is the short name of the paths, `desc` what people read."""

    name: str
    desc: str
    id: str

    @classmethod
    def named(cls, name: str, desc: str | None = None) -> Site:
        """Make a site with an id derived from its name."""
        return cls(name=name, desc=desc or name.title(), id=object_id("site", name))


@dataclass(slots=True, kw_only=True)
class Wlan:
    """A wireless network."""

    ssid: str
    guest: bool = False

    @property
    def id(self) -> str:
        """`wlanconf_id` of records."""
        return object_id("wlan", self.ssid)


@dataclass(slots=True, kw_only=True)
class Device:
    """A UniFi device: an access point when it has radios (band -> channel).

    `x` and `y` are metres; `state` is 1 when connected (protocol.md 5).
    """

    mac: str
    name: str | None
    model: str = "U6PRO"
    type: str = "uap"
    ip: str = "10.0.0.2"
    state: int = 1
    x: float = 0.0
    y: float = 0.0
    radios: dict[Band, int] = field(default_factory=dict)

    def bssid(self, band: Band, ssid: str) -> str:
        """Return the BSSID of one network on one radio: locally administered, like real ones."""
        digest = hashlib.sha256(f"{self.mac}/{band}/{ssid}".encode()).digest()
        head = int(self.mac[:2], 16) | 2
        return f"{head:02x}{self.mac[2:9]}{digest[0]:02x}:{digest[1]:02x}:{self.mac[15:]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An association: where, on which radio, how good (dBm)."""

    ap: str
    band: Band
    channel: int
    signal: int


@dataclass(slots=True, kw_only=True)
class Client:
    """A client; `link` is None while it is away. Times are POSIX seconds.

    `extra` overrides fields of its records, `without` removes some: for odd records.
    """

    mac: str
    name: str | None = None
    hostname: str | None = None
    oui: str = ""
    ip: str | None = None
    ssid: str = ""
    is_guest: bool = False
    is_wired: bool = False
    connected: bool = False
    link: Link | None = None
    first_seen: float = 0.0
    last_seen: float = 0.0
    assoc_time: float = 0.0
    latest_assoc_time: float = 0.0
    disconnected_at: float = 0.0
    roam_count: int = 0
    extra: Json = field(default_factory=dict)
    without: frozenset[str] = frozenset()

    @property
    def label(self) -> str:
        """Name people know it by: alias, hostname or MAC address."""
        return self.name or self.hostname or self.mac


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """Something that truly happened to a client; `time` in POSIX seconds, `duration` in seconds.

    `number` counts a world's movements.
    """

    number: int
    kind: MovementKind
    time: float
    mac: str
    name: str | None
    hostname: str | None
    guest: bool
    wired: bool
    ssid: str
    before: Link | None
    after: Link | None
    duration: int = 0
