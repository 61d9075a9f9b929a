"""A capture of a made-up life: `python -m tests.replay.synthetic FILE` writes one."""

from datetime import UTC, datetime
from pathlib import Path
from random import Random
import sys
from typing import Any

import orjson

from custom_components.unifi_scanner.api.frames import FrameStatistics, parse_unifi_events
from custom_components.unifi_scanner.api.records import (
    observation_from,
    parse_device,
    parse_log_row,
    parse_station,
)
from custom_components.unifi_scanner.capture.recorder import CaptureRecorder
from custom_components.unifi_scanner.capture.recording_tracker import RecordingTracker
from custom_components.unifi_scanner.roaming import ClientEvent
from tests.controller import Band, Movement, Site
from tests.controller.device_records import device_record
from tests.controller.frames import event_record, events_frame, frame, sync_frame
from tests.controller.models import Client, Json
from tests.controller.records import device_basic_record, station_record
from tests.controller.world import World

START = 1_790_000_000.0
ROOMS = ("Hall", "Kitchen", "Attic")


class Life:
    """People roam about a simulated house; a recorder takes down what is told of it."""

    def __init__(self, *, clients: int = 4, seed: int = 1, start: float = START) -> None:
        """Furnish the house; everybody is at home."""
        self.now = start
        self.recorder = CaptureRecorder()
        self.tracker = RecordingTracker(self.recorder)
        self.told: list[ClientEvent] = []
        self.world = World(Site.named("default"), lambda: self.now)
        self.clients = self._furnish(clients)
        self._random = Random(seed)  # noqa: S311 - the same life every time
        self._statistics = FrameStatistics()

    def live(self, seconds: float) -> None:
        """Let time pass, in which somebody does something every few seconds."""
        end = self.now + seconds
        next_snapshot = self.now
        while self.now < end:
            if self.now >= next_snapshot:
                self.snapshot()
                next_snapshot += 60
            self._do(self._random.choice(self.clients))
            self.now += self._random.uniform(1, 8)
            self.told += self.tracker.release_due(self.now)
        self.snapshot()

    def snapshot(self) -> None:
        """Let the house ask for all there is."""
        records = [station_record(client, self.world) for client in self.world.online()]
        stations = [parse_station(record, self.now) for record in records]
        devices = [
            parse_device(device_basic_record(device)) for device in self.world.access_points()
        ]
        self.recorder.devices([device for device in devices if device])
        self.told += self.tracker.process_batch([], self.now)
        self.told += self.tracker.process_snapshot([one for one in stations if one], self.now)

    def receive(self, document: Json) -> None:
        """Let a frame come through the socket."""
        received = datetime.fromtimestamp(self.now, UTC)
        events = [
            type(event)(received, event.event_type, event.data)
            for event in parse_unifi_events(orjson.dumps(document), self._statistics, self.recorder)
        ]
        if events:
            self.recorder.frames(events)
            batch = [observation_from(event) for event in events]
            self.told += self.tracker.process_batch(batch, self.now)

    def tell(self, happening: Movement) -> None:
        """Let the controller tell of something."""
        self.receive(events_frame(event_record(happening, self.world, 9)))

    def read_log(self, row: dict[str, Any]) -> None:
        """Let a row of the system log be read."""
        self.told += self.tracker.process_batch([parse_log_row(row, self.now)], self.now)

    def _furnish(self, clients: int) -> list[Client]:
        for room in ROOMS:
            self.world.add_access_point(room, model="U7PRO")
        return [
            self.world.add_client(
                f"Client {number}",
                hostname=f"phone-{number}",
                ap=ROOMS[number % len(ROOMS)],
                is_guest=number % 4 == 3,
            )
            for number in range(clients)
        ]

    def _do(self, client: Client) -> None:
        world, dice = self.world, self._random
        ap = dice.choice(world.access_points())
        if client.link is None:
            self.tell(world.connect(client.mac, dice.choice(ROOMS)))
            return
        match dice.choice(("roam", "roam", "silent", "radio", "leave", "sync", "device")):
            case "roam" if client.link.ap != ap.mac:
                self.tell(world.roam(client.mac, ap.mac, signal=dice.randint(-80, -40)))
            case "silent" if client.link.ap != ap.mac:
                # Only a later record shows it.
                world.roam(client.mac, ap.mac)
            case "radio" if client.link.band is not Band.NG:
                self.tell(world.roam_radio(client.mac, Band.NG))
            case "leave":
                self.tell(world.disconnect(client.mac))
            case "device":
                self.receive(frame("device:sync", [device_record(ap, world)]))
            case _:
                world.touch([client.mac])
                self.receive(sync_frame(world, [client]))


if __name__ == "__main__":
    life = Life()
    life.live(300)
    Path(sys.argv[1]).write_bytes(orjson.dumps(life.recorder.export()) + b"\n")
