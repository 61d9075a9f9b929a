"""A capture of simulated clients: `python -m tests.replay.synthetic FILE` writes one."""

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
from custom_components.unifi_scanner.roaming import ClientEvent, RoamTracker
from tests.controller import Band, Movement, Site
from tests.controller.device_records import device_record
from tests.controller.frames import event_record, events_frame, frame, sync_frame
from tests.controller.models import Client, Json
from tests.controller.records import device_basic_record, station_record
from tests.controller.world import World

START = 1_790_000_000.0
ACCESS_POINTS = ("Hall", "Kitchen", "Attic")


class RecordedSite:
    """A simulated site whose clients move about, with a tracker that records it."""

    def __init__(self, *, clients: int = 4, seed: int = 1, start: float = START) -> None:
        """Start with all clients connected."""
        self.now = start
        self.recorder = CaptureRecorder()
        self.tracker = RecordingTracker(RoamTracker(), self.recorder)
        self.events: list[ClientEvent] = []
        self.world = World(Site.named("default"), lambda: self.now)
        self.clients = self._add_clients(clients)
        self._random = Random(seed)  # noqa: S311 - reproducible, not secret
        self.statistics = FrameStatistics()
        self.recorder.attach(self.statistics)

    def run(self, seconds: float) -> None:
        """Let time pass, with a random action of a client every few seconds."""
        end = self.now + seconds
        next_snapshot = self.now
        while self.now < end:
            if self.now >= next_snapshot:
                self.snapshot()
                next_snapshot += 60
            self._act(self._random.choice(self.clients))
            self.now += self._random.uniform(1, 8)
            self.events += self.tracker.release_due(self.now)
        self.snapshot()

    def snapshot(self) -> None:
        """Take a snapshot."""
        records = [station_record(client, self.world) for client in self.world.online()]
        stations = [parse_station(record, self.now) for record in records]
        devices = [
            parse_device(device_basic_record(device)) for device in self.world.access_points()
        ]
        self.recorder.record_devices([device for device in devices if device])
        self.events += self.tracker.process_snapshot(
            [station for station in stations if station], self.now
        )

    def receive(self, document: Json) -> None:
        """Process a frame."""
        received = datetime.fromtimestamp(self.now, UTC)
        events = [
            type(event)(received, event.event_type, event.data)
            for event in parse_unifi_events(orjson.dumps(document), self.statistics)
        ]
        if events:
            self.recorder.record_frames(events)
            batch = [observation_from(event) for event in events]
            self.events += self.tracker.process_batch(batch, self.now)

    def receive_event(self, movement: Movement) -> None:
        """Process the event of a client's movement."""
        self.receive(events_frame(event_record(movement, self.world, 9)))

    def read_log(self, row: dict[str, Any]) -> None:
        """Process a row of the system log."""
        event = parse_log_row(row, self.now)
        rows = [] if event is None else [event]
        self.events += self.tracker.process_log(rows, None, self.now)

    def _add_clients(self, clients: int) -> list[Client]:
        for name in ACCESS_POINTS:
            self.world.add_access_point(name, model="U7PRO")
        return [
            self.world.add_client(
                f"Client {number}",
                hostname=f"phone-{number}",
                ap=ACCESS_POINTS[number % len(ACCESS_POINTS)],
                is_guest=number % 4 == 3,
            )
            for number in range(clients)
        ]

    def _act(self, client: Client) -> None:
        world, random = self.world, self._random
        ap = random.choice(world.access_points())
        if client.link is None:
            self.receive_event(world.connect(client.mac, random.choice(ACCESS_POINTS)))
            return
        match random.choice(("roam", "roam", "silent", "radio", "leave", "sync", "device")):
            case "roam" if client.link.ap != ap.mac:
                self.receive_event(world.roam(client.mac, ap.mac, signal=random.randint(-80, -40)))
            case "silent" if client.link.ap != ap.mac:
                # Only a later client record shows it.
                world.roam(client.mac, ap.mac)
            case "radio" if client.link.band is not Band.NG:
                self.receive_event(world.roam_radio(client.mac, Band.NG))
            case "leave":
                self.receive_event(world.disconnect(client.mac))
            case "device":
                self.receive(frame("device:sync", [device_record(ap, world)]))
            case _:
                world.touch([client.mac])
                self.receive(sync_frame(world, [client]))


if __name__ == "__main__":
    site = RecordedSite()
    site.run(300)
    Path(sys.argv[1]).write_bytes(orjson.dumps(site.recorder.export()) + b"\n")
