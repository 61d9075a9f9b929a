"""Everyday life: people walk in real time, and the sockets hear of it among the usual noise."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
import random

from .actions import Actions
from .device_records import device_record
from .floor_plan import populate
from .frames import frame
from .models import Generation, Json, Movement, MovementKind
from .walk import Walk

TICK_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkOptions:
    """How lively the house is.

    `speed` is how much faster than real people they walk; times in frames stay real. Every
    `sync_seconds` all connected clients are told by sync frames, one per access point; every
    `noise_seconds` some frames come that nobody wants. `gap_share` is the share of roams told as
    Disconnected and Connected. `on_movement` hears the truth.
    """

    seed: int = 1
    people: int = 4
    speed: float = 5.0
    sync_seconds: float = 3.0
    noise_seconds: float = 7.0
    gap_share: float = 0.1
    on_movement: Callable[[Movement], None] | None = None


class WalkSimulation:
    """Runs the walk of the first site's world while the controller is up, and while it restarts."""

    def __init__(self, actions: Actions, walking: WalkOptions) -> None:
        """Furnish the house."""
        self._actions = actions
        self._walking = walking
        self._phones = populate(actions.world, walking.people)
        self._walk = Walk(actions.world, self._phones, walking.seed)
        # Apart from the walk's dice, so that frames have no influence on where people go.
        self._random = random.Random(walking.seed)  # noqa: S311 - repeatable, not a secret
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; no matter if begun already."""
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End."""
        if self._task is not None:
            task, self._task = self._task, None
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        last = loop.time()
        next_sync, next_noise = last, last + self._walking.noise_seconds
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = loop.time()
            for movement in self._walk.step((now - last) * self._walking.speed):
                await self._tell(movement)
            last = now
            if now >= next_sync:
                next_sync = now + self._walking.sync_seconds
                await self._sync_everyone()
            if now >= next_noise:
                next_noise = now + self._walking.noise_seconds
                await self._make_noise()

    async def _tell(self, movement: Movement) -> None:
        if self._walking.on_movement is not None:
            self._walking.on_movement(movement)
        gap = (
            self._actions.settings.generation is Generation.EVENTS
            and movement.kind is MovementKind.ROAM
            and self._random.random() < self._walking.gap_share
        )
        if gap:
            await self._actions.send_as_reconnect(movement)
        else:
            await self._actions.report(movement)

    async def _sync_everyone(self) -> None:
        world = self._actions.world
        world.touch(client.mac for client in world.online() if client.mac not in self._phones)
        per_access_point: dict[str, list[str]] = {}
        for client in world.online():
            ap = client.link.ap if client.link else ""
            per_access_point.setdefault(ap, []).append(client.mac)
        for macs in per_access_point.values():
            await self._actions.sync(*macs)

    async def _make_noise(self) -> None:
        """Send what real sockets are full of (protocol.md 3.1)."""
        world = self._actions.world
        device = self._random.choice(list(world.devices.values()))
        record = device_record(device, world)
        frames: tuple[Json, ...] = (
            frame("device:sync", [record]),
            frame("device:sync", []),
            frame("unifi-device:sync", [record], product_line="NETWORK"),
            frame("speed-test:update", [{"site_id": world.site.id, "status_summary": 0}]),
        )
        for noise in frames:
            await self._actions.send(noise, site=world.site.name)
