"""Stands at the controller's door: what really left for Home Assistant."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self, override

import orjson

from tests.controller import FrameFaults, SimulatedController, rest
from tests.controller.models import Json
from tests.controller.system_log import system_log_page
from tests.controller.world import World

from .ground_truth import Told, Truth

_WHO = ("user", "guest")


@dataclass(slots=True, kw_only=True)
class Witness(FrameFaults):
    """A frame_faults of frames that notes what it lets through to a socket that lives.

    Sent is delivered: in virtual time the other end has read a frame before the next moment, and
    no fault happens within the same one.
    """

    truth: Truth
    clock: Callable[[], float]
    controller: SimulatedController | None = field(default=None)

    @override
    def apply(self, text: str) -> list[str]:
        # Not super(): a dataclass with slots is another class than the one the compiler saw.
        frames = FrameFaults.apply(self, text)
        if self._is_heard():
            for frame in frames:
                self._note(frame)
        return frames

    def _is_heard(self) -> bool:
        return self.controller is not None and any(
            not socket.stuck and not socket.response.closed
            for socket in self.controller.state.hub.sockets
        )

    def _note(self, frame: str) -> None:
        if not frame.startswith("{"):
            return
        content = orjson.loads(frame)
        now, kind = self.clock(), content["meta"]["message"]
        for entry in content["data"]:
            if kind == "events":
                verb = entry["key"].rpartition("_")[2]
                mac = next(entry[key] for key in _WHO if key in entry)
                self.truth.tell_event(mac, verb, entry["time"], now)
            elif kind == "sta:sync" and "ap_mac" in entry:
                self.truth.tell_record(
                    entry["mac"], entry["ap_mac"], entry["latest_assoc_time"], now, Told.SYNC
                )


class Reads:
    """Notes what the REST answers of a controller tell; one controller at a time."""

    def __init__(self, truth: Truth, clock: Callable[[], float]) -> None:
        """Note into this truth."""
        self._truth = truth
        self._clock = clock
        self._stations = rest._stations
        self._page = system_log_page
        self.log_pages = 0
        self.snapshots = 0

    def __enter__(self) -> Self:
        """Begin; the controller must be made after this."""
        rest._stations = self._answer_stations
        vars(rest)["system_log_page"] = self._answer_page
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        rest._stations = self._stations
        vars(rest)["system_log_page"] = self._page

    def _answer_stations(self, world: World) -> list[Json]:
        records, now = self._stations(world), self._clock()
        self.snapshots += 1
        self._truth.snapshot(now)
        listed = set()
        for record in records:
            listed.add(record["mac"])
            if "ap_mac" in record:
                self._truth.tell_record(
                    record["mac"],
                    record["ap_mac"],
                    record["latest_assoc_time"],
                    now,
                    Told.SNAPSHOT,
                )
        for mac in world.clients.keys() - listed:
            self._truth.tell_absence(mac, now)
        return records

    def _answer_page(self, world: World, query: dict[str, Any]) -> Json:
        page, now = self._page(world, query), self._clock()
        self.log_pages += 1
        for row in page["data"]:
            parameters = row["parameters"]
            gone = "DISCONNECTED" in row["key"]
            after = None if gone else parameters.get("DEVICE_TO", parameters.get("DEVICE"))["id"]
            self._truth.tell_log_row(parameters["CLIENT"]["id"], row["timestamp"], after, now)
        return page
