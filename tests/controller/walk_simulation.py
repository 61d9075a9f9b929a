"""Walk simulation: people walk in real time, and frames report it among the usual noise."""

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
    """Options of the walk simulation.

    `speed` is a multiple of walking pace; times in frames stay real. Every `sync_seconds` one sync
    frame per access point lists its clients; every `noise_seconds` some irrelevant frames are sent.
    `gap_share` is the share of roams reported as Disconnected and Connected. `on_movement` is
    called with every movement.
    """

    seed: int = 1
    people: int = 4
    speed: float = 5.0
    sync_seconds: float = 3.0
    noise_seconds: float = 7.0
    gap_share: float = 0.1
    on_movement: Callable[[Movement], None] | None = None


class WalkSimulation:
    """Runs a walk in the first site's world, which continues while the controller restarts."""

    def __init__(self, actions: Actions, options: WalkOptions) -> None:
        """Add the house's devices and clients."""
        self._actions = actions
        self._options = options
        self._phones = populate(actions.world, options.people)
        self._walk = Walk(actions.world, self._phones, options.seed)
        # Separate from the walk's random numbers, so that frames do not change the walk.
        self._random = random.Random(options.seed)  # noqa: S311 - repeatable, not a secret
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start; does nothing if already started."""
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop."""
        if self._task is not None:
            task, self._task = self._task, None
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        last = loop.time()
        next_sync, next_noise = last, last + self._options.noise_seconds
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = loop.time()
            for movement in self._walk.step((now - last) * self._options.speed):
                await self._report(movement)
            last = now
            if now >= next_sync:
                next_sync = now + self._options.sync_seconds
                await self._sync_everyone()
            if now >= next_noise:
                next_noise = now + self._options.noise_seconds
                await self._make_noise()

    async def _report(self, movement: Movement) -> None:
        if self._options.on_movement is not None:
            self._options.on_movement(movement)
        as_reconnect = (
            self._actions.settings.generation is Generation.EVENTS
            and movement.kind is MovementKind.ROAM
            and self._random.random() < self._options.gap_share
        )
        if as_reconnect:
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
        """Send frames that real sockets carry but nobody needs (docs/protocol.md 3.1)."""
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
