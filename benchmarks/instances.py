"""Home Assistants that follow the clients of a site: by our integration, or by its own."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
import logging
from tempfile import TemporaryDirectory
from time import perf_counter, thread_time
from typing import Any
from unittest.mock import AsyncMock, patch

from aiohttp import ThreadedResolver
from homeassistant.components.http.server import HomeAssistantHTTP
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_STATE_REPORTED
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import aiohttp_client, device_registry as dr, entity_registry as er
from homeassistant.loader import DATA_CUSTOM_COMPONENTS
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_test_home_assistant,
)

from tests.controller import SimulatedController

from .address import Address
from .frames import Crowd
from .measure import undisturbed
from .rows import CORE, SIGNALS

PACKAGE = "custom_components.unifi_scanner"

_UNIQUE_ID = "benchmark_default"


@dataclass(slots=True, kw_only=True)
class Home:
    """A Home Assistant; `feed` gives a frame to its integration, set up in `set_up` seconds.

    `prepare` turns a frame into what comes out of the integration's socket.
    """

    hass: HomeAssistant
    entry: MockConfigEntry
    prepare: Callable[[bytes], Any]
    feed: Callable[[Any], None]
    set_up: float

    async def handle(self, frames: Iterable[bytes]) -> float:
        """Return how many microseconds of the processor a frame takes until nothing is left to do.

        That is all that is due in the event loop, but for the loop's own look at its sockets.
        """
        loop = self.hass.loop
        given = [self.prepare(frame) for frame in frames]
        done: asyncio.Future[float] = loop.create_future()
        # Not from a task: while one runs no other can take a step.
        loop.call_soon(self._handle, given, done)
        return await done

    def _handle(self, frames: Sequence[Any], done: asyncio.Future[float]) -> None:
        feed, ready = self.feed, self.hass.loop._ready  # type: ignore[attr-defined]  # noqa: SLF001 - nothing else tells what is due
        counted = len(ready)
        while ready:
            ready.popleft()._run()  # noqa: SLF001 - as the loop does
        with undisturbed():
            began = thread_time()
            for frame in frames:
                feed(frame)
                while ready:
                    ready.popleft()._run()  # noqa: SLF001 - as the loop does
            took = thread_time() - began
        for _ in range(counted):
            # The loop has counted what it is going to run in this turn.
            self.hass.loop.call_soon(_do_nothing)
        done.set_result(took * 1e6 / len(frames))


def _do_nothing() -> None:
    """Stand for what has been done already."""


@contextmanager
def counting(hass: HomeAssistant) -> Iterator[Counter[str]]:
    """Count what is fired, by type: of states too those that are written again as they were."""
    fired: Counter[str] = Counter()

    @callback
    def count(event: Event[Any]) -> None:
        fired[str(event.event_type)] += 1

    @callback
    def any_state(_data: object) -> bool:
        return True

    removals = [
        hass.bus.async_listen("*", count),
        # Those who listen to everything do not hear of it.
        hass.bus.async_listen(EVENT_STATE_REPORTED, count, any_state),
    ]
    yield fired
    for remove in removals:
        remove()


@asynccontextmanager
async def controller_of(crowd: Crowd) -> AsyncIterator[SimulatedController]:
    """Give a controller whose site has these clients."""
    controller = SimulatedController(clock=crowd.world.clock)
    controller.state.worlds["default"] = crowd.world
    async with controller:
        yield controller


def address_of(controller: SimulatedController) -> Address:
    """Return where a controller listens, with an open session."""
    name = controller.username
    session = controller.state.sessions.open(name, remember=True, jwt=True)
    return Address(
        port=controller.port,
        site_id=controller.world.site.id,
        username=name,
        password=controller.password,
        session=session.token,
    )


@asynccontextmanager
async def home(whose: str, address: Address, macs: Sequence[str]) -> AsyncIterator[Home]:
    """Give a Home Assistant that tracks these clients, by the integration of OURS or CORE.

    With SIGNALS it is ours, and the sensors of the signal are on.
    """
    async with _home_assistant() as hass, home_in(hass, whose, address, macs) as one:
        yield one


@asynccontextmanager
async def home_in(
    hass: HomeAssistant, whose: str, address: Address, macs: Sequence[str]
) -> AsyncIterator[Home]:
    """Set an integration up in a Home Assistant, as `home` does, and unload it at the end."""
    # In tests there are none of them until this is forgotten.
    hass.data.pop(DATA_CUSTOM_COMPONENTS, None)
    if whose == CORE:
        entry = await _core(hass, address, macs)
    else:
        entry = _ours(address, macs)
        if whose == SIGNALS:
            _turn_on_signals(hass, macs)
    entry.add_to_hass(hass)
    began = perf_counter()
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    set_up = perf_counter() - began
    if entry.state is not ConfigEntryState.LOADED:
        raise RuntimeError(f"{whose} could not be set up: {entry.reason}")
    yield _home(whose, hass, entry, set_up)
    await hass.config_entries.async_unload(entry.entry_id)


def _home(whose: str, hass: HomeAssistant, entry: MockConfigEntry, set_up: float) -> Home:
    if whose == CORE:
        messages = entry.runtime_data.api.messages
        return Home(
            hass=hass, entry=entry, prepare=bytes.decode, feed=messages.new_data, set_up=set_up
        )
    stream = entry.runtime_data.stream
    client = stream.client
    # What it does with each frame is done with ours as well; its own socket stays open.
    own, client._connection = client._connection, _Given()  # noqa: SLF001 - the way in
    receiving = client._receive(stream._async_take_event)  # noqa: SLF001 - as above
    receiving.send(None)
    client._connection = own  # noqa: SLF001 - as above
    return Home(hass=hass, entry=entry, prepare=bytes, feed=receiving.send, set_up=set_up)


class _Given:
    """A socket; who receives from it gets what is sent into his coroutine."""

    async def recv(self, *, decode: bool) -> bytes:  # noqa: ARG002 - as of a socket
        return await self

    def __await__(self) -> Generator[None, bytes, bytes]:
        return (yield)


def _turn_on_signals(hass: HomeAssistant, macs: Sequence[str]) -> None:
    registry = er.async_get(hass)
    for mac in macs:
        unique_id = f"{_UNIQUE_ID}_{mac}_signal"
        registry.async_get_or_create("sensor", "unifi_scanner", unique_id, disabled_by=None)


def _ours(address: Address, macs: Sequence[str]) -> MockConfigEntry:
    return MockConfigEntry(
        domain="unifi_scanner",
        title="Benchmark",
        unique_id=_UNIQUE_ID,
        data={
            "host": "127.0.0.1",
            "url": f"https://127.0.0.1:{address.port}",
            "username": address.username,
            "password": address.password,
            "ssl": "insecure",
            "site": "default",
        },
        options={"clients": list(macs)},
    )


async def _core(hass: HomeAssistant, address: Address, macs: Sequence[str]) -> MockConfigEntry:
    # The simulated controller does not have all that it asks for.
    logging.getLogger("homeassistant.components.unifi").setLevel(logging.CRITICAL)
    # It depends on a search for consoles, which is of no use here, and for images on a server.
    await async_setup_component(hass, "network", {})
    hass.config.components.add("unifi_discovery")
    await async_setup_component(hass, "http", {})
    entry = MockConfigEntry(
        domain="unifi",
        unique_id=address.site_id,
        data={
            "host": "127.0.0.1",
            "username": address.username,
            "password": address.password,
            "port": address.port,
            "site": "default",
            "verify_ssl": False,
        },
        options={"allow_bandwidth_sensors": True, "allow_uptime_sensors": False},
    )
    # Trackers are off by default where the client has no device yet.
    other = MockConfigEntry(domain="other")
    other.add_to_hass(hass)
    registry = dr.async_get(hass)
    for mac in macs:
        registry.async_get_or_create(
            config_entry_id=other.entry_id, connections={(dr.CONNECTION_NETWORK_MAC, mac)}
        )
    return entry


@asynccontextmanager
async def _home_assistant() -> AsyncIterator[HomeAssistant]:
    asyncio.get_running_loop().set_debug(False)
    # Home Assistant's own resolver asks the neighbours by multicast.
    resolver = patch(f"{aiohttp_client.__name__}._async_make_resolver", _resolver)
    # Nobody asks for a page, so that no port is opened.
    no_server = patch.object(HomeAssistantHTTP, "async_bind", AsyncMock())
    with TemporaryDirectory() as folder, resolver, no_server:
        async with async_test_home_assistant(config_dir=folder) as hass:
            try:
                yield hass
            finally:
                await hass.async_stop(force=True)
        # What is still being written needs its folder.
        await asyncio.get_running_loop().shutdown_default_executor()


class _Resolver(ThreadedResolver):
    """One that Home Assistant can close."""

    async def real_close(self) -> None:
        """Close."""


def _resolver(_hass: HomeAssistant) -> _Resolver:
    return _Resolver()
