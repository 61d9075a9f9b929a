"""Faults S1 to S3 of docs/faults.md: open sockets without frames, or without some of them."""

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
    """Return the number of event sockets opened so far."""
    return len(home.controller.requests("/events"))


def signal(home: Home, mac: str) -> int | None:
    state = home.coordinator.client(mac)
    return state.signal if state else None


async def active_clients(home: Home, minutes: int, *, synced: bool) -> None:
    """Let clients be active for some minutes, reported by sync records or only by REST."""
    for _ in range(minutes * 6):
        await asyncio.sleep(10)
        if synced:
            await home.controller.sync()
        else:
            home.world.touch()


async def test_S1_dead_connection_is_replaced_within_a_minute(
    home: Home, clock: VirtualTime
) -> None:
    """Reported: no data and no close, as if a firewall had dropped the connection (core#101589).

    Promised: pings detect it, and the stream is back within 60 s.
    """
    await home.set_up()
    await active_clients(home, 2, synced=True)
    home.controller.half_open()
    await clock.until(lambda: home.controller.open_sockets == 1, 60)
    await clock.until(lambda: home.coordinator.stream_connected, 1)
    await home.controller.roam(ANNA, "Kitchen")
    await home.happened(1)


async def test_S2_silent_socket_is_replaced(home: Home) -> None:
    """Reported: "can connect, no data" after some weeks (NRCHKB/node-red-contrib-unifi-os#49).

    Promised: if REST shows active clients but no frame arrives, the socket is replaced, and missed
    roams are reported.
    """
    await home.set_up()
    await active_clients(home, 3, synced=True)
    assert sockets(home) == 1
    home.controller.faults.silent = True
    home.world.roam(ANNA, "Kitchen")
    await active_clients(home, 3, synced=False)
    assert sockets(home) == 2
    home.controller.faults.silent = False
    await active_clients(home, 10, synced=True)
    assert sockets(home) == 2
    ((_, data),) = await home.happened(1)
    assert (data["ap_to_name"], data["source"]) == ("Kitchen", "resync")


async def test_S2_socket_that_stays_silent_is_replaced_less_and_less_often(
    home: Home,
) -> None:
    """Promised: if new sockets stay silent too, they are not replaced every minute.

    Once frames have arrived again, the next silence is noticed as fast as the first one.
    """
    await home.set_up()
    home.controller.faults.silent = True
    await active_clients(home, 90, synced=False)
    assert 5 <= sockets(home) <= 8
    home.controller.faults.silent = False
    await active_clients(home, 2, synced=True)
    before = sockets(home)
    home.controller.faults.silent = True
    await active_clients(home, 3, synced=False)
    assert sockets(home) == before + 1


async def test_S2_socket_is_kept_on_a_quiet_night(home: Home) -> None:
    """Promised: a stream without frames is left alone while no client is active."""
    await home.set_up()
    await active_clients(home, 1, synced=True)
    await asyncio.sleep(4 * 3600)
    assert sockets(home) == 1
    assert home.events == []
    assert home.shows("event_stream", domain="binary_sensor") == "on"


async def test_S3_events_alone_keep_states_correct(home: Home) -> None:
    """Reported: without real-time updates only `events` arrive, and states froze (core#72240).

    Promised: access points, connects and roams are right from events alone. On a new link the
    signal is unknown until a snapshot has it, and never that of the old link. The socket is not
    replaced every minute for lack of other frames.
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
    await active_clients(home, 2, synced=False)
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
        await active_clients(home, 10, synced=False)
        await home.controller.roam(ANNA, place)
    assert len(await home.happened(13)) == 13
    assert sockets(home) <= 7
