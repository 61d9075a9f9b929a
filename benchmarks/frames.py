"""Seeded frames with all known fields, identical for every contender.

Field names and types are those of docs/protocol.md 3; the values are made up.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from random import Random

import orjson

from tests.controller import Band, Site
from tests.controller.device_records import device_record
from tests.controller.frames import event_record, events_frame, frame, sync_frame
from tests.controller.models import Client, Device, Json, Link, Wlan, object_id
from tests.controller.world import World

NOW = 1_790_000_000.0
# A device record grows with its radios and networks; this many make 40 KB.
SSIDS_OF_40_KB = 8
# Share of each kind of frame in a site's stream, in percent.
_SHARES = {"large": 20, "small": 25, "sync": 52, "roam": 3}


@dataclass(slots=True)
class Clock:
    """The controller's clock, set manually."""

    now: float = NOW

    def __call__(self) -> float:
        """Return POSIX seconds."""
        return self.now


class Crowd:
    """A site with access points and clients whose records change realistically."""

    def __init__(
        self,
        clients: int,
        *,
        access_points: int = 20,
        seed: int = 1,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """Distribute the clients over the access points; without a clock, time stands still."""
        self.world = World(Site.named("default"), clock or Clock())
        self.access_points = [
            self.world.add_access_point(f"Access point {number}", model="U7PRO")
            for number in range(access_points)
        ]
        self._random = Random(seed)  # noqa: S311 - the same frames in every run
        self.clients = [self._client(number) for number in range(clients)]
        self._rates = {client.mac: self._drawn_rates() for client in self.clients}

    def _client(self, number: int) -> Client:
        return self.world.add_client(
            f"Client {number}",
            hostname=f"client-{number}",
            oui="Apple",
            ap=self._random.choice(self.access_points).name,
            band=self._random.choice((Band.NG, Band.NA)),
            signal=self._random.randint(-80, -45),
        )

    @property
    def macs(self) -> list[str]:
        """The MACs of all clients."""
        return [client.mac for client in self.clients]

    def update(self, clients: Iterable[Client]) -> None:
        """Set `last_seen` of clients to now and change their signal slightly."""
        for client in clients:
            client.last_seen = self.world.clock()
            if client.link is not None:
                signal = max(-90, min(-40, client.link.signal + self._step()))
                client.link = replace(client.link, signal=signal)

    def draw_rates(self, clients: Iterable[Client]) -> None:
        """Draw new rates for clients."""
        for client in clients:
            self._rates[client.mac] = self._drawn_rates()

    def move(self, client: Client) -> bytes:
        """Move a client to the next access point and return the frame with the roam event."""
        happening = self.world.roam(client.mac, self._next(client.link))
        return _encoded(events_frame(event_record(happening, self.world, 9)))

    def sync(self, *clients: Client) -> bytes:
        """Return a `sta:sync` frame with these clients, about 1.6 KB each."""
        document = sync_frame(self.world, list(clients))
        for record in document["data"]:
            record.update(self._newer_fields(record), **self._rates[record["mac"]])
        return _encoded(document)

    def _next(self, link: Link | None) -> str:
        # In a circle, so that no roam repeats one of the last minute, which would be an echo.
        macs = [device.mac for device in self.access_points]
        place = macs.index(link.ap) if link is not None else -1
        return macs[(place + 1) % len(macs)]

    def _step(self) -> int:
        return self._random.choice((-3, -2, -1, 1, 2, 3))

    def _drawn_rates(self) -> Json:
        return {
            "tx_rate": self._random.randint(50, 900) * 1000,
            "rx_rate": self._random.randint(50, 900) * 1000,
            "tx_bytes-r": self._random.random() * 10**6,
            "rx_bytes-r": self._random.random() * 10**6,
        }

    def _newer_fields(self, record: Json) -> Json:
        """Return the fields that newer controllers add (docs/protocol.md 3.3)."""
        return {
            "tx_bytes": self._random.randint(10**6, 10**9),
            "rx_bytes": self._random.randint(10**6, 10**9),
            "gw_mac": "78:45:58:00:00:01",
            "gw_vlan": 0,
            "last_connection_network_id": object_id("network", "default"),
            "last_connection_network_name": "Default",
            "satisfaction_avg": {"total": 5_400, "count": 54},
            "satisfaction_real": 99,
            "satisfaction_reason": 0,
            "eagerly_discovered": False,
            "last_1x_identity": "",
            "assoc_hostname": record.get("hostname", ""),
        }


def device_frame(ssids: int, *, meta_first: bool = True) -> bytes:
    """Return the `device:sync` frame of an access point with this many networks."""
    world = World(Site.named("default"), Clock())
    for number in range(ssids):
        world.wlans[f"Network {number}"] = Wlan(ssid=f"Network {number}")
    device: Device = world.add_access_point(
        "Access point", radios={Band.NG: 1, Band.NA: 36, Band.SIX: 37}, model="U7PRO"
    )
    document = frame("device:sync", [device_record(device, world)], mac=device.mac)
    if not meta_first:
        document = {"data": document["data"], "meta": document["meta"]}
    return _encoded(document)


def mixed_stream(seed: int = 1, frames: int = 400) -> list[bytes]:
    """Return a site's stream: mostly devices by size, mostly clients by number, some events."""
    clock, dice = Clock(), Random(seed)  # noqa: S311 - the same frames in every run
    crowd = Crowd(60, access_points=8, seed=seed, clock=clock)
    small, large = device_frame(2), device_frame(SSIDS_OF_40_KB, meta_first=False)
    stream = []
    for _ in range(frames):
        client = dice.choice(crowd.clients)
        clock.now += 1
        crowd.update([client])
        crowd.draw_rates([client])
        kinds: dict[str, Callable[[], bytes]] = {
            "large": lambda: large,
            "small": lambda: small,
            "sync": partial(crowd.sync, client),
            "roam": partial(crowd.move, client),
        }
        (kind,) = dice.choices(list(_SHARES), list(_SHARES.values()))
        stream.append(kinds[kind]())
    return stream


def _encoded(document: Json) -> bytes:
    return orjson.dumps(document)
