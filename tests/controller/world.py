"""World of a site: its devices, its clients and their movements, without any I/O."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
import hashlib
from itertools import count
from typing import Any

from .models import Band, Client, Device, Json, Link, Movement, MovementKind, Site, Wlan

HOME_SSID = "Home"
GUEST_SSID = "Guests"
DEFAULT_RADIOS = {Band.NG: 1, Band.NA: 36}
DEFAULT_SIGNAL = -55
# Number of movements kept for tests and the system log; enough for a long soak.
TRUTH_SIZE = 50_000


def generate_mac(kind: str, name: str) -> str:
    """Derive a MAC address from a name; clients get a locally administered one, as phones do."""
    digest = hashlib.sha256(f"{kind}/{name}".encode()).digest()
    if kind == "device":
        return f"78:45:58:{digest[:3].hex(':')}"
    # Nearly all 48 bits vary, because tests create tens of thousands of clients.
    return bytes([digest[0] & 0xFC | 0x02, *digest[1:6]]).hex(":")


class World:
    """Devices and clients of a site.

    A method that moves a client returns the movement and adds it to `truth`; sending frames about
    it is up to the controller. Access points are given by name or MAC address.
    """

    def __init__(self, site: Site, clock: Callable[[], float]) -> None:
        """Create an empty world; `clock` returns POSIX seconds."""
        self.site = site
        self.clock = clock
        self.devices: dict[str, Device] = {}
        self.clients: dict[str, Client] = {}
        self.wlans = {
            HOME_SSID: Wlan(ssid=HOME_SSID),
            GUEST_SSID: Wlan(ssid=GUEST_SSID, guest=True),
        }
        self.truth: deque[Movement] = deque(maxlen=TRUTH_SIZE)
        self._numbers = count(1)
        # The system log has a row this many seconds after it happened.
        self.log_delay = 0.0
        # Names that this build's system log uses instead of the usual ones (docs/protocol.md 4).
        self.log_names: dict[str, str] = {}
        # Listed by `stat/sta` unchanged, after the clients: VPN records, broken records.
        self.raw_stations: list[Json] = []

    def add_device(self, name: str | None, *, mac: str | None = None, **fields: Any) -> Device:
        """Add a device of any type without radios; `fields` are those of `Device`."""
        mac = mac or generate_mac("device", f"{self.site.name}/{name}")
        fields.setdefault("ip", f"10.0.0.{2 + len(self.devices)}")
        device = Device(mac=mac, name=name, **fields)
        self.devices[mac] = device
        return device

    def add_access_point(
        self,
        name: str | None,
        *,
        mac: str | None = None,
        radios: dict[Band, int] | None = None,
        **fields: Any,
    ) -> Device:
        """Add an access point; `radios` maps bands to channels."""
        return self.add_device(name, mac=mac, radios=dict(radios or DEFAULT_RADIOS), **fields)

    def add_client(
        self,
        name: str | None = None,
        *,
        mac: str | None = None,
        ap: str | None = None,
        band: Band = Band.NA,
        signal: int = DEFAULT_SIGNAL,
        **fields: Any,
    ) -> Client:
        """Add a known client, already connected if `ap` is given; this is not a movement."""
        fields.setdefault("hostname", name)
        mac = mac or generate_mac("client", f"{self.site.name}/{name}/{len(self.clients)}")
        now = self.clock()
        client = Client(
            mac=mac, name=name, first_seen=now - 86_400 * 30, last_seen=now - 3600, **fields
        )
        client.ssid = client.ssid or (GUEST_SSID if client.is_guest else HOME_SSID)
        if client.ip is None:
            client.ip = f"10.0.{1 + len(self.clients) // 250}.{1 + len(self.clients) % 250}"
        self.clients[mac] = client
        if ap is not None or client.is_wired:
            client.connected = True
            client.last_seen = now
            client.assoc_time = client.latest_assoc_time = now - 600
        if ap is not None:
            client.link = self._link(ap, band, signal)
        return client

    def access_point(self, key: str) -> Device:
        """Find a device by MAC address or name; KeyError if there is none."""
        if key in self.devices:
            return self.devices[key]
        for device in self.devices.values():
            if device.name == key:
                return device
        raise KeyError(key)

    def client(self, key: str) -> Client:
        """Find a client by MAC address or name; KeyError if there is none."""
        if key in self.clients:
            return self.clients[key]
        for client in self.clients.values():
            if client.name == key:
                return client
        raise KeyError(key)

    def access_points(self) -> list[Device]:
        """Return the devices with radios."""
        return [device for device in self.devices.values() if device.radios]

    def online(self) -> list[Client]:
        """Return the connected clients."""
        return [client for client in self.clients.values() if client.connected]

    def connect(
        self,
        key: str,
        ap: str | None = None,
        *,
        band: Band = Band.NA,
        signal: int = DEFAULT_SIGNAL,
    ) -> Movement:
        """Connect a client to an access point, or a wired client to its switch."""
        client = self.client(key)
        link = None if ap is None else self._link(ap, band, signal)
        now = self.clock()
        client.connected = True
        client.assoc_time = client.latest_assoc_time = client.last_seen = now
        return self._record(client, MovementKind.CONNECTED, link)

    def disconnect(self, key: str, *, left: float | None = None) -> Movement:
        """Disconnect a client that left at `left` (POSIX seconds, by default now)."""
        client = self.client(key)
        left = self.clock() if left is None else left
        client.connected = False
        client.last_seen = client.disconnected_at = left
        return self._record(client, MovementKind.DISCONNECTED, None, time=float(int(left)))

    def roam(
        self, key: str, ap_to: str, *, band: Band | None = None, signal: int = DEFAULT_SIGNAL
    ) -> Movement:
        """Move a connected client to another access point, by default on the same band."""
        client = self.client(key)
        if band is None:
            band = client.link.band if client.link else Band.NA
        client.roam_count += 1
        return self._moved(client, MovementKind.ROAM, self._link(ap_to, band, signal))

    def roam_radio(self, key: str, band: Band, *, signal: int = DEFAULT_SIGNAL) -> Movement:
        """Move a client to another radio of its access point; ValueError if it is away."""
        client = self.client(key)
        if client.link is None:
            msg = f"{client.label} is not connected"
            raise ValueError(msg)
        return self._moved(
            client, MovementKind.ROAM_RADIO, self._link(client.link.ap, band, signal)
        )

    def set_signal(self, key: str, signal: int) -> None:
        """Set the signal (dBm) of a connected client and mark it as seen now."""
        client = self.client(key)
        if client.link is not None:
            client.link = replace(client.link, signal=signal)
            client.last_seen = self.clock()

    def touch(self, keys: Iterable[str] | None = None) -> None:
        """Mark connected clients as seen now, by default all of them."""
        chosen = self.online() if keys is None else [self.client(key) for key in keys]
        for client in chosen:
            if client.connected:
                client.last_seen = self.clock()

    def _link(self, ap: str, band: Band, signal: int) -> Link:
        device = self.access_point(ap)
        if band not in device.radios:
            band = next(iter(device.radios))
        return Link(ap=device.mac, band=band, channel=device.radios[band], signal=signal)

    def _moved(self, client: Client, kind: MovementKind, link: Link) -> Movement:
        client.connected = True
        client.latest_assoc_time = client.last_seen = self.clock()
        return self._record(client, kind, link)

    def _record(
        self, client: Client, kind: MovementKind, after: Link | None, *, time: float | None = None
    ) -> Movement:
        time = self.clock() if time is None else time
        movement = Movement(
            number=next(self._numbers),
            kind=kind,
            time=time,
            mac=client.mac,
            name=client.name,
            hostname=client.hostname,
            guest=client.is_guest,
            wired=client.is_wired,
            ssid=client.ssid,
            before=client.link,
            after=after,
            duration=max(0, int(time - client.assoc_time)),
        )
        client.link = after
        self.truth.append(movement)
        return movement
