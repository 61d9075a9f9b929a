"""A home: a simulated controller, the integration set up for it, and helpers to read states."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
import time
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import Event, HomeAssistant, State, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.unifi_scanner.api import StreamState
from custom_components.unifi_scanner.const import DOMAIN
from custom_components.unifi_scanner.coordinator import UnifiScannerCoordinator
from custom_components.unifi_scanner.site.publisher import EVENT_TYPES
from tests.controller import SimulatedController
from tests.instance import entry_data

UNIQUE_ID = "home_default"
ANNA = "02:00:00:00:00:0a"
BEN = "02:00:00:00:00:0b"
# Not connected at first.
CARA = "02:00:00:00:00:0c"
HALL = "78:45:58:00:00:01"
KITCHEN = "78:45:58:00:00:02"
ATTIC = "78:45:58:00:00:03"


async def until(condition: Callable[[], object], seconds: float = 3.0) -> None:
    """Wait for a condition to become true; fail after a timeout in seconds."""
    end = time.perf_counter() + seconds
    while not condition():
        assert time.perf_counter() < end, "the condition did not become true in time"
        await asyncio.sleep(0.005)


@asynccontextmanager
async def furnished_home(hass: HomeAssistant, **settings: Any) -> AsyncIterator[Home]:
    """Yield a home whose controller has these settings, and unload its entry at the end."""
    async with SimulatedController(**settings) as controller:
        home = Home(hass, controller)
        yield home
        for entry in hass.config_entries.async_entries(DOMAIN):
            if entry.state is ConfigEntryState.LOADED:
                await home.quiet()
                await hass.config_entries.async_unload(entry.entry_id)


class Home:
    """Three access points and, at first, two clients in the hall."""

    def __init__(self, hass: HomeAssistant, controller: SimulatedController) -> None:
        """Add access points and clients; `set_up` sets up the entry."""
        self.hass = hass
        self.controller = controller
        self.world = controller.world
        self.entry: MockConfigEntry
        self.events: list[Event] = []
        for name, mac in (("Hall", HALL), ("Kitchen", KITCHEN), ("Attic", ATTIC)):
            self.world.add_access_point(name, mac=mac)
        self.world.add_device("Switch", mac="78:45:58:00:00:09", type="usw", model="USL8")
        self.world.add_client("Anna", mac=ANNA, ap="Hall")
        self.world.add_client("Ben", mac=BEN, ap="Hall")

    async def set_up(
        self,
        *,
        clients: tuple[str, ...] = (ANNA, BEN),
        password: str | None = None,
        wait: bool = True,
        **options: Any,
    ) -> None:
        """Set up the entry; with `wait`, wait for its stream and the snapshot after it."""
        self.entry = MockConfigEntry(
            domain=DOMAIN,
            title="Home",
            unique_id=UNIQUE_ID,
            data=entry_data(self.controller, password=password or self.controller.password),
            options={"clients": list(clients), "add_new_clients": False, **options},
        )
        self.entry.add_to_hass(self.hass)
        for event_type in EVENT_TYPES.values():
            self.hass.bus.async_listen(event_type, self._record)
        await self.hass.config_entries.async_setup(self.entry.entry_id)
        await self.hass.async_block_till_done()
        if wait:
            await self.streaming(2)

    @callback
    def _record(self, event: Event) -> None:
        self.events.append(event)

    @property
    def snapshots(self) -> int:
        """Number of snapshots requested from the controller."""
        return len(self.controller.requests("stat/sta"))

    async def streaming(self, snapshots: int) -> None:
        """Wait for the stream to be connected and this total number of snapshots."""
        await until(lambda: self.coordinator.stream_connected)
        await until(lambda: self.snapshots >= snapshots)
        await self.settled()

    async def settled(self) -> None:
        """Wait until no snapshot is requested or in progress."""
        await until(lambda: not self.coordinator.is_refreshing)
        await self.hass.async_block_till_done()

    async def quiet(self) -> None:
        """Wait until no request to the controller is in progress."""
        stream = self.coordinator.stream.client
        await until(lambda: stream is not None and stream.state is not StreamState.CONNECTING)
        await self.settled()

    async def cut(self) -> None:
        """Break the stream, and wait until it is noticed and a snapshot was attempted."""
        await self.controller.close_sockets(None)
        await until(lambda: not self.coordinator.stream_connected)
        await self.settled()

    async def reconnected(self) -> None:
        """Skip the delay before reconnecting, and wait for the snapshot after it."""
        stream = self.coordinator.stream.client
        await until(lambda: stream is not None and stream.state is StreamState.WAITING)
        await self.settled()
        snapshots = self.snapshots
        async_fire_time_changed(self.hass, dt_util.utcnow() + timedelta(seconds=400))
        await self.streaming(snapshots + 1)

    @property
    def coordinator(self) -> UnifiScannerCoordinator:
        coordinator: UnifiScannerCoordinator = self.entry.runtime_data
        return coordinator

    def entity_id(self, key: str, mac: str | None = None, domain: str = "sensor") -> str | None:
        """Return an entity's id, None if there is no such entity."""
        unique_id = "_".join(filter(None, (UNIQUE_ID, mac, key)))
        return er.async_get(self.hass).async_get_entity_id(domain, DOMAIN, unique_id)

    def state(self, key: str, mac: str | None = None, domain: str = "sensor") -> State | None:
        """Return an entity's state, None if it has none."""
        entity_id = self.entity_id(key, mac, domain)
        return self.hass.states.get(entity_id) if entity_id else None

    def shows(self, key: str, mac: str | None = None, domain: str = "sensor") -> str | None:
        """Return the text of an entity's state, None if it has none."""
        state = self.state(key, mac, domain)
        return state.state if state else None

    def device(self, mac: str | None = None) -> dr.DeviceEntry | None:
        """Return the device of a client or access point, or of the controller for None."""
        unique_id = "_".join(filter(None, (UNIQUE_ID, mac)))
        return dr.async_get(self.hass).async_get_device_by_identifier(
            (DOMAIN, unique_id), self.entry.entry_id
        )

    async def later(self, seconds: float) -> None:
        """Run everything that is due within this time, at once.

        First wait for requests in progress, as their timeouts would expire too.
        """
        if self.entry.state is ConfigEntryState.LOADED:
            await self.quiet()
        async_fire_time_changed(self.hass, dt_util.utcnow() + timedelta(seconds=seconds))
        await self.hass.async_block_till_done()

    async def happened(self, count: int) -> list[tuple[str, dict[str, Any]]]:
        """Wait for this number of events on the bus; return type and data of all so far."""
        await until(lambda: len(self.events) >= count)
        return [(event.event_type, dict(event.data)) for event in self.events]
