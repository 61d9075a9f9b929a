"""Data models of the simulated controller: sites, devices, clients and their movements."""

from dataclasses import dataclass, field
from enum import StrEnum
import hashlib
from typing import Any

type Json = dict[str, Any]

# signal == rssi - 96 in the published records of 2022; later ones differ (docs/protocol.md 3.3).
RSSI_OFFSET = 96


class Flavour(StrEnum):
    """Kind of controller: decides paths, cookies and error format (docs/protocol.md 1, 2)."""

    UNIFI_OS = "unifi_os"
    SELF_HOSTED = "self_hosted"


class Generation(StrEnum):
    """What the event socket sends about clients: EVT and sync records, or sync records only."""

    EVENTS = "events"
    SYNC_ONLY = "sync_only"


class Band(StrEnum):
    """Radio codes in controller records: 2.4, 5 and 6 GHz (docs/protocol.md 3.3)."""

    NG = "ng"
    NA = "na"
    SIX = "6e"

    @property
    def frequency(self) -> str:
        """The band as the system log spells it."""
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
        """WiFi generation as spelled in client records."""
        return {"ng": "ng", "na": "ac", "6e": "6e"}[self.value]


class MovementKind(StrEnum):
    """Kind of a client movement."""

    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    ROAM = "roam"
    ROAM_RADIO = "roam_radio"


def object_id(*parts: str) -> str:
    """Derive a database id of 24 hex digits from some text, stable across restarts."""
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:24]


@dataclass(slots=True, kw_only=True)
class Site:
    """A site: `name` is the short name used in paths, `desc` the display name."""

    name: str
    desc: str
    id: str

    @classmethod
    def named(cls, name: str, desc: str | None = None) -> Site:
        """Create a site with an id derived from its name."""
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
    """A UniFi device, which is an access point if it has `radios` (band -> channel).

    `x` and `y` are in metres; `state` is 1 when connected (docs/protocol.md 5).
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
        """Return the BSSID of an SSID on a radio, locally administered like real ones."""
        digest = hashlib.sha256(f"{self.mac}/{band}/{ssid}".encode()).digest()
        head = int(self.mac[:2], 16) | 2
        return f"{head:02x}{self.mac[2:9]}{digest[0]:02x}:{digest[1]:02x}:{self.mac[15:]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A client's link: access point MAC, band, channel and signal in dBm."""

    ap: str
    band: Band
    channel: int
    signal: int


@dataclass(slots=True, kw_only=True)
class Client:
    """A client; `link` is None while it is away or wired. Times are POSIX seconds.

    For unusual records, `extra` adds or overrides record fields and `without` removes some.
    """

    mac: str
    name: str | None = None
    hostname: str | None = None
    oui: str = ""
    ip: str | None = None
    ssid: str = ""
    is_guest: bool = False
    is_wired: bool = False
    authorized: bool = True
    blocked: bool = False
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
        """Display name: alias, hostname or MAC address."""
        return self.name or self.hostname or self.mac


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """A client's true change of link: connect, disconnect, roam or change of radio.

    `number` counts a world's movements, `time` is in POSIX seconds, and `duration` is how long the
    client had been connected, in seconds. `before` and `after` are None while it is away.
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
