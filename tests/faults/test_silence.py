"""S: a socket that is open and tells nothing, or not all."""

import asyncio
from typing import Any

import pytest

from tests.home import ANNA, BEN, Home

from .clock import VirtualTime

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture
def controller_settings(clock: VirtualTime) -> dict[str, Any]:
    return {"clock": clock.time}


def sockets(home: Home) -> int:
    """Return how many sockets have been opened."""
    return len(home.controller.requests("/events"))


def signal(home: Home, mac: str) -> int | None:
    state = home.coordinator.client(mac)
    return state.signal if state else None


async def live(home: Home, minutes: int, *, told: bool) -> None:
    """Let people use their phones for some minutes."""
    for _ in range(minutes * 6):
        await asyncio.sleep(10)
        if told:
            await home.controller.sync()
        else:
            home.world.touch()


async def test_S1_dead_connection_is_replaced_within_a_minute(
    home: Home, clock: VirtualTime
) -> None:
    """core#101589: no data and no close, as after a firewall has forgotten the connection.

    Promised: pings find out, and the stream is back within 60 s.
    """
    await home.set_up()
    await live(home, 2, told=True)
    home.controller.half_open()
    await clock.until(lambda: home.controller.open_sockets == 1, 60)
    await clock.until(lambda: home.coordinator.stream_connected, 1)
    await home.controller.roam(ANNA, "Kitchen")
    await home.happened(1)


async def test_S2_silent_socket_is_replaced(home: Home) -> None:
    """NRCHKB/node-red-contrib-unifi-os#49: "can connect, no data" after some weeks.

    Promised: when clients have been active by REST and no frame has told of it, another socket is
    opened, and what it missed is told.
    """
    await home.set_up()
    await live(home, 3, told=True)
    assert sockets(home) == 1
    home.controller.faults.silent = True
    home.world.roam(ANNA, "Kitchen")
    await live(home, 3, told=False)
    assert sockets(home) == 2
    home.controller.faults.silent = False
    await live(home, 10, told=True)
    assert sockets(home) == 2
    ((_, data),) = await home.happened(1)
    assert (data["ap_to_name"], data["source"]) == ("Kitchen", "resync")


async def test_S2_socket_that_stays_silent_is_replaced_less_and_less_often(
    home: Home,
) -> None:
    """The same where a new socket is no better: not every minute, and again when it would help."""
    await home.set_up()
    home.controller.faults.silent = True
    await live(home, 90, told=False)
    assert 5 <= sockets(home) <= 8
    home.controller.faults.silent = False
    await live(home, 2, told=True)
    before = sockets(home)
    home.controller.faults.silent = True
    await live(home, 3, told=False)
    assert sockets(home) == before + 1


async def test_S2_socket_is_kept_on_a_quiet_night(home: Home) -> None:
    """Nobody is awake: that the stream says nothing for hours is right, and nothing is done."""
    await home.set_up()
    await live(home, 1, told=True)
    await asyncio.sleep(4 * 3600)
    assert sockets(home) == 1
    assert home.events == []
    assert home.shows("event_stream", domain="binary_sensor") == "on"


async def test_S3_events_alone_keep_states_correct(home: Home) -> None:
    """core#72240: with real-time updates disabled only `events` come, and states froze.

    Promised: places, connections and roams are right by events alone. The signal is unknown on a
    new link until a snapshot tells it, not that of the old one. The socket is not replaced every
    minute for being silent otherwise.
    """
    await home.set_up()
    home.world.set_signal(ANNA, -48)
    await asyncio.sleep(61)
    assert signal(home, ANNA) == -48
    await home.controller.roam(ANNA, "Kitchen")
    await home.happened(1)
    await home.hass.async_block_till_done()
    assert home.shows("access_point", ANNA) == "Kitchen"
    assert signal(home, ANNA) is None
    await live(home, 2, told=False)
    assert signal(home, ANNA) == -55
    await home.controller.disconnect(BEN)
    await asyncio.sleep(11)
    assert home.shows("access_point", BEN) == "not_connected"
    await home.controller.connect(BEN, "Attic")
    await home.happened(3)
    await home.hass.async_block_till_done()
    assert home.shows("access_point", BEN) == "Attic"
    assert signal(home, BEN) is None
    for place in ("Hall", "Kitchen") * 5:
        await live(home, 10, told=False)
        await home.controller.roam(ANNA, place)
    assert len(await home.happened(13)) == 13
    assert sockets(home) <= 7
