"""Real shapes to mutate: what a controller says of people who walk through a house."""

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

CAPTURED = Path(__file__).parents[3] / "shared" / "captures" / "frames.jsonl"
PEOPLE = 60
ACCESS_POINTS = 8
STRANGERS = 300
# From here on events carry no `_id`; before, names of access points were missing (protocol.md 3.2).
MAJORS = (6, 7, 9, 10)
ALIENS = (
    "device:sync",
    "alert",
    "dashboard:sync",
    "vpn-connection:sync",
    "wu.roam",
    "wg.connected",
)


def captured_frames() -> list[Json]:
    """Return the captured frames, none where the captures are absent."""
    if not CAPTURED.exists():
        return []
    frames = []
    for line in CAPTURED.read_text().splitlines():
        record = json.loads(line)
        found = record.get("frame", record)
        if isinstance(found, dict) and "meta" in found:
            frames.append(found)
    return frames


class Shapes:
    """A house whose people walk; every look gives a frame, a row or records in real shape."""

    def __init__(self, random: Random, clock: Callable[[], float]) -> None:
        """Furnish it; `clock` gives POSIX seconds."""
        self._random = random
        self.world = World(Site.named("default"), clock)
        for number in range(ACCESS_POINTS):
            self.world.add_access_point(f"AP {number}")
        self.access_points = list(self.world.devices)
        for number in range(PEOPLE):
            self.world.add_client(
                f"Phone {number}", ap=random.choice(self.access_points), is_guest=number % 7 == 0
            )
        self.people = list(self.world.clients)
        self._captured = captured_frames()

    def frame(self) -> Json:
        """Return a frame as it comes through the socket."""
        kind = self._random.random()
        if kind < 0.6:
            happenings = [self.happening() for _ in range(self._random.choice((1, 1, 1, 2, 3)))]
            major = self._random.choice(MAJORS)
            return events_frame(*(event_record(item, self.world, major) for item in happenings))
        if kind < 0.85:
            clients = self._random.sample(self.people, self._random.choice((1, 1, 2, 4)))
            chosen = [self.world.clients[mac] for mac in clients]
            return sync_frame(self.world, chosen, v2=self._random.random() < 0.3)
        if kind < 0.95 or not self._captured:
            client = self.world.clients[self._random.choice(self.people)]
            if self._random.random() < 0.3:
                return user_sync_frame(client, self.world)
            return frame(self._random.choice(ALIENS), [station_record(client, self.world)])
        return deepcopy(self._random.choice(self._captured))

    def passers_by(self) -> Json:
        """Return a frame with strangers, each seen once, some at an unknown access point."""
        strangers = []
        for _ in range(STRANGERS):
            record = event_record(self.happening(), self.world, 9)
            record |= {"key": "EVT_WU_Connected", "user": self.address()}
            ap = self.address() if self._random.random() < 0.1 else self.access_points[0]
            strangers.append(record | {"ap": ap})
        return events_frame(*strangers)

    def address(self) -> str:
        """Return an address that nobody has seen."""
        return f"02:{self._random.randbytes(5).hex(':')}"

    def row(self) -> Json:
        """Return a row of the system log."""
        return system_log_row(self.happening(), self.world)

    def stations(self) -> list[Json]:
        """Return what `stat/sta` lists."""
        return [station_record(client, self.world) for client in self.world.online()]

    def happening(self) -> Movement:
        """Let somebody come, go or move."""
        random, world = self._random, self.world
        mac = random.choice(self.people)
        place = random.choice(self.access_points)
        band = random.choice((Band.NG, Band.NA))
        kind = random.random()
        if not world.clients[mac].connected:
            return world.connect(mac, place, band=band)
        if kind < 0.6:
            return world.roam(mac, place, band=band)
        if kind < 0.75:
            return world.roam_radio(mac, band)
        return world.disconnect(mac, left=world.clock() - random.choice((0, 1, 5, 300)))
