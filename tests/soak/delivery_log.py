"""Records what the simulated controller actually delivered to Home Assistant."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self, override

import orjson

from tests.controller import FrameFaults, SimulatedController, rest
from tests.controller.models import Json
from tests.controller.system_log import system_log_page
from tests.controller.world import World

from .ground_truth import Delivery, GroundTruth

_CLIENT_KEYS = ("user", "guest")


@dataclass(slots=True, kw_only=True)
class FrameLog(FrameFaults):
    """Frame faults that also record which frames reach a live socket.

    A frame that was sent counts as delivered: in virtual time the other end reads it before time
    advances, and no fault happens in between.
    """

    truth: GroundTruth
    clock: Callable[[], float]
    controller: SimulatedController | None = field(default=None)

    @override
    def apply(self, text: str) -> list[str]:
        # Not super(): `dataclass(slots=True)` replaces the class that super() refers to.
        frames = FrameFaults.apply(self, text)
        if self._has_live_socket():
            for frame in frames:
                self._record(frame)
        return frames

    def _has_live_socket(self) -> bool:
        return self.controller is not None and any(
            not socket.stuck and not socket.response.closed
            for socket in self.controller.state.hub.sockets
        )

    def _record(self, frame: str) -> None:
        if not frame.startswith("{"):
            return
        content = orjson.loads(frame)
        now, kind = self.clock(), content["meta"]["message"]
        for entry in content["data"]:
            if kind == "events":
                verb = entry["key"].rpartition("_")[2]
                mac = next(entry[key] for key in _CLIENT_KEYS if key in entry)
                self.truth.add_event(mac, verb, entry["time"], now)
            elif kind == "sta:sync" and "ap_mac" in entry:
                self.truth.add_record(
                    entry["mac"], entry["ap_mac"], entry["latest_assoc_time"], now, Delivery.SYNC
                )


class RestLog:
    """Records what a controller's REST responses contain; for one controller at a time."""

    def __init__(self, truth: GroundTruth, clock: Callable[[], float]) -> None:
        """Add deliveries to `truth`, at times of `clock` (POSIX seconds)."""
        self._truth = truth
        self._clock = clock
        self._stations = rest._stations
        self._page = system_log_page
        self.log_pages = 0
        self.snapshots = 0

    def __enter__(self) -> Self:
        """Start recording; create the controller only after this."""
        rest._stations = self._respond_stations
        vars(rest)["system_log_page"] = self._respond_page
        return self

    def __exit__(self, *_: object) -> None:
        """Stop recording."""
        rest._stations = self._stations
        vars(rest)["system_log_page"] = self._page

    def _respond_stations(self, world: World) -> list[Json]:
        records, now = self._stations(world), self._clock()
        self.snapshots += 1
        self._truth.add_snapshot(now)
        listed = set()
        for record in records:
            listed.add(record["mac"])
            if "ap_mac" in record:
                self._truth.add_record(
                    record["mac"],
                    record["ap_mac"],
                    record["latest_assoc_time"],
                    now,
                    Delivery.SNAPSHOT,
                )
        for mac in world.clients.keys() - listed:
            self._truth.add_absence(mac, now)
        return records

    def _respond_page(self, world: World, query: dict[str, Any]) -> Json:
        page, now = self._page(world, query), self._clock()
        self.log_pages += 1
        for row in page["data"]:
            parameters = row["parameters"]
            gone = "DISCONNECTED" in row["key"]
            after = None if gone else parameters.get("DEVICE_TO", parameters.get("DEVICE"))["id"]
            self._truth.add_log_row(parameters["CLIENT"]["id"], row["timestamp"], after, now)
        return page
