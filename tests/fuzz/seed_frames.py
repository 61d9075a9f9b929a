"""Realistic frames to mutate, from clients that move around a simulated site."""

from collections.abc import Callable
from copy import deepcopy
import json
from pathlib import Path
from random import Random

from tests.controller.frames import event_record, events_frame, frame, sync_frame, user_sync_frame
from tests.controller.models import Band, Json, Movement, Site
from tests.controller.records import station_record
from tests.controller.system_log import system_log_row
from tests.controller.world import World

CAPTURES = Path(__file__).parents[3] / "shared" / "captures" / "frames.jsonl"
CLIENTS = 60
ACCESS_POINTS = 8
PASSING_CLIENTS = 300
# Major versions of Network whose events differ in their fields (docs/protocol.md 3.2).
MAJORS = (6, 7, 9, 10)
UNUSED_TYPES = (
    "device:sync",
    "alert",
    "dashboard:sync",
    "vpn-connection:sync",
    "wu.roam",
    "wg.connected",
)


def captured_frames() -> list[Json]:
    """Return the captured frames, none if the captures are absent."""
    if not CAPTURES.exists():
        return []
    frames = []
    for line in CAPTURES.read_text().splitlines():
        record = json.loads(line)
        captured = record.get("frame", record)
        if isinstance(captured, dict) and "meta" in captured:
            frames.append(captured)
    return frames


class SeedFrames:
    """Generates frames, log rows and records of clients that move around a site."""

    def __init__(self, random: Random, clock: Callable[[], float]) -> None:
        """Create the site; `clock` returns POSIX seconds."""
        self._random = random
        self.world = World(Site.named("default"), clock)
        for number in range(ACCESS_POINTS):
            self.world.add_access_point(f"AP {number}")
        self.access_points = list(self.world.devices)
        for number in range(CLIENTS):
            self.world.add_client(
                f"Phone {number}", ap=random.choice(self.access_points), is_guest=number % 7 == 0
            )
        self.clients = list(self.world.clients)
        self._captured = captured_frames()

    def frame(self) -> Json:
        """Return a frame as the event socket sends it."""
        kind = self._random.random()
        if kind < 0.6:
            movements = [self.movement() for _ in range(self._random.choice((1, 1, 1, 2, 3)))]
            major = self._random.choice(MAJORS)
            return events_frame(*(event_record(item, self.world, major) for item in movements))
        if kind < 0.85:
            clients = self._random.sample(self.clients, self._random.choice((1, 1, 2, 4)))
            chosen = [self.world.clients[mac] for mac in clients]
            return sync_frame(self.world, chosen, v2=self._random.random() < 0.3)
        if kind < 0.95 or not self._captured:
            client = self.world.clients[self._random.choice(self.clients)]
            if self._random.random() < 0.3:
                return user_sync_frame(client, self.world)
            return frame(self._random.choice(UNUSED_TYPES), [station_record(client, self.world)])
        return deepcopy(self._random.choice(self._captured))

    def passing_clients(self) -> Json:
        """Return a frame of clients that connect only once, some to an unknown access point."""
        events = []
        for _ in range(PASSING_CLIENTS):
            record = event_record(self.movement(), self.world, 9)
            record |= {"key": "EVT_WU_Connected", "user": self.new_mac()}
            ap = self.new_mac() if self._random.random() < 0.1 else self.access_points[0]
            events.append(record | {"ap": ap})
        return events_frame(*events)

    def new_mac(self) -> str:
        """Return a new random MAC."""
        return f"02:{self._random.randbytes(5).hex(':')}"

    def log_row(self) -> Json:
        """Return a row of the system log."""
        return system_log_row(self.movement(), self.world)

    def stations(self) -> list[Json]:
        """Return the records of `stat/sta`."""
        return [station_record(client, self.world) for client in self.world.online()]

    def movement(self) -> Movement:
        """Let a random client connect, roam or disconnect."""
        random, world = self._random, self.world
        mac = random.choice(self.clients)
        ap = random.choice(self.access_points)
        band = random.choice((Band.NG, Band.NA))
        kind = random.random()
        if not world.clients[mac].connected:
            return world.connect(mac, ap, band=band)
        if kind < 0.6:
            return world.roam(mac, ap, band=band)
        if kind < 0.75:
            return world.roam_radio(mac, band)
        return world.disconnect(mac, left=world.clock() - random.choice((0, 1, 5, 300)))
