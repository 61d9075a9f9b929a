"""Home Assistant instances that track clients with our integration or with its own."""

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
    """A Home Assistant with one integration, which took `set_up` seconds to set up.

    `prepare` turns a frame into what the integration's socket returns; `feed` hands that over.
    """

    hass: HomeAssistant
    entry: MockConfigEntry
    prepare: Callable[[bytes], Any]
    feed: Callable[[Any], None]
    set_up: float

    async def handle(self, frames: Iterable[bytes]) -> float:
        """Return the CPU time in microseconds that a frame takes until nothing is left to do.

        This includes everything due in the event loop, except the loop's own polling of sockets.
        """
        loop = self.hass.loop
        prepared = [self.prepare(frame) for frame in frames]
        done: asyncio.Future[float] = loop.create_future()
        # Not from a task: while one runs, no other task can make progress.
        loop.call_soon(self._handle, prepared, done)
        return await done

    def _handle(self, frames: Sequence[Any], done: asyncio.Future[float]) -> None:
        feed, ready = self.feed, self.hass.loop._ready  # type: ignore[attr-defined]  # noqa: SLF001 - no public way to see what is due
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
            # The loop has already counted the callbacks of this turn and expects to find them.
            self.hass.loop.call_soon(_do_nothing)
        done.set_result(took * 1e6 / len(frames))


def _do_nothing() -> None:
    """Take the place of a callback that has already run."""


@contextmanager
def counting(hass: HomeAssistant) -> Iterator[Counter[str]]:
    """Count fired events by type, including states that are written without a change."""
    fired: Counter[str] = Counter()

    @callback
    def count(event: Event[Any]) -> None:
        fired[str(event.event_type)] += 1

    @callback
    def any_state(_data: object) -> bool:
        return True

    removals = [
        hass.bus.async_listen("*", count),
        # Not delivered to listeners of all events.
        hass.bus.async_listen(EVENT_STATE_REPORTED, count, any_state),
    ]
    yield fired
    for remove in removals:
        remove()


@asynccontextmanager
async def controller_of(crowd: Crowd) -> AsyncIterator[SimulatedController]:
    """Run a controller whose site has these clients."""
    controller = SimulatedController(clock=crowd.world.clock)
    controller.state.worlds["default"] = crowd.world
    async with controller:
        yield controller


def address_of(controller: SimulatedController) -> Address:
    """Return a controller's address, with an open session."""
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
async def home(contender: str, address: Address, macs: Sequence[str]) -> AsyncIterator[Home]:
    """Run a Home Assistant that tracks these clients, with the integration OURS or CORE.

    SIGNALS is OURS with the signal sensors enabled.
    """
    async with _home_assistant() as hass, home_in(hass, contender, address, macs) as one:
        yield one


@asynccontextmanager
async def home_in(
    hass: HomeAssistant, contender: str, address: Address, macs: Sequence[str]
) -> AsyncIterator[Home]:
    """Set up an integration in a running Home Assistant, like `home`, and unload it at the end."""
    # The test harness caches that there are no custom integrations.
    hass.data.pop(DATA_CUSTOM_COMPONENTS, None)
    if contender == CORE:
        entry = await _core(hass, address, macs)
    else:
        entry = _ours(address, macs)
        if contender == SIGNALS:
            _enable_signals(hass, macs)
    entry.add_to_hass(hass)
    began = perf_counter()
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    set_up = perf_counter() - began
    if entry.state is not ConfigEntryState.LOADED:
        raise RuntimeError(f"{contender} was not set up: {entry.reason}")
    yield _home(contender, hass, entry, set_up)
    await hass.config_entries.async_unload(entry.entry_id)


def _home(contender: str, hass: HomeAssistant, entry: MockConfigEntry, set_up: float) -> Home:
    if contender == CORE:
        messages = entry.runtime_data.api.messages
        return Home(
            hass=hass, entry=entry, prepare=bytes.decode, feed=messages.new_data, set_up=set_up
        )
    stream = entry.runtime_data.stream
    client = stream.client
    # Feed the receive loop from a fake socket; the real one stays open.
    socket = _FakeSocket()
    own, client._connection = client._connection, socket  # noqa: SLF001 - no public way to inject frames
    receiving = client._receive(stream._async_handle_event)  # noqa: SLF001 - as above
    receiving.send(None)
    client._connection = own  # noqa: SLF001 - as above

    def feed(frame: bytes | None) -> None:
        receiving.send(frame)
        if not socket.is_waiting:
            # A large frame is processed in turns.
            hass.loop.call_soon(feed, None)

    return Home(hass=hass, entry=entry, prepare=bytes, feed=feed, set_up=set_up)


class _FakeSocket:
    """A socket whose `recv` returns the values sent into the receiving coroutine."""

    def __init__(self) -> None:
        """Start without a receiver."""
        self.is_waiting = False

    async def recv(self, *, decode: bool) -> bytes:  # noqa: ARG002 - the signature of a socket
        return await self

    def __await__(self) -> Generator[None, bytes, bytes]:
        self.is_waiting = True
        frame = yield
        self.is_waiting = False
        return frame


def _enable_signals(hass: HomeAssistant, macs: Sequence[str]) -> None:
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
    # The simulated controller lacks some of the endpoints it requests.
    logging.getLogger("homeassistant.components.unifi").setLevel(logging.CRITICAL)
    # It depends on discovery, which is not needed here, and on an HTTP server for images.
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
    # Its trackers are disabled by default for clients that have no device yet.
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
    # Home Assistant's own resolver uses multicast DNS.
    resolver = patch(f"{aiohttp_client.__name__}._async_make_resolver", _resolver)
    # No pages are requested, so no port needs to be opened.
    no_server = patch.object(HomeAssistantHTTP, "async_bind", AsyncMock())
    with TemporaryDirectory() as folder, resolver, no_server:
        async with async_test_home_assistant(config_dir=folder) as hass:
            try:
                yield hass
            finally:
                await hass.async_stop(force=True)
        # Pending writes still need the folder.
        await asyncio.get_running_loop().shutdown_default_executor()


class _Resolver(ThreadedResolver):
    """A resolver with the method that Home Assistant closes it by."""

    async def real_close(self) -> None:
        """Close."""


def _resolver(_hass: HomeAssistant) -> _Resolver:
    return _Resolver()
