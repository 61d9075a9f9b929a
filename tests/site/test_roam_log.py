"""The roam log, in memory and on disk."""

from collections.abc import Iterable
from copy import replace
from datetime import timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.json import prepare_save_json
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.unifi_scanner.const import DOMAIN
from custom_components.unifi_scanner.roaming import ClientEvent, EventKind, Link
from custom_components.unifi_scanner.site.roam_log import CLIENT_LIMIT, SITE_LIMIT, RoamLog
from tests.home import ANNA, BEN, CARA, HALL, KITCHEN, furnished_home
from tests.samples import ROAM

KEY = f"{DOMAIN}.entry.roams"
START = ROAM.time


async def loaded(hass: HomeAssistant, *tracked: str) -> RoamLog:
    log = RoamLog(hass, "entry", set(tracked or (ANNA, BEN)))
    await log.async_load()
    return log


def roam(mac: str = ANNA, at: float = 0.0, kind: EventKind = EventKind.ROAM) -> ClientEvent:
    return replace(ROAM, mac=mac, time=START + at, kind=kind)


def times(events: Iterable[ClientEvent]) -> list[float]:
    return [event.time - START for event in events]


async def test_roam_log_returns_roams_newest_first_in_any_order_of_arrival(
    hass: HomeAssistant,
) -> None:
    log = await loaded(hass)
    for at in (0, 30, 10):
        log.async_record(roam(at=at))
    log.async_record(roam(BEN, 20))
    assert times(log.roams(ANNA, 0)) == [30, 10, 0]
    assert times(log.roams(ANNA, START + 10)) == [30, 10]
    assert log.roams(CARA, 0) == []


async def test_roam_log_returns_the_later_recorded_of_simultaneous_roams_first(
    hass: HomeAssistant,
) -> None:
    log = await loaded(hass)
    there, back = roam(), replace(roam(), link_from=ROAM.link_to, link_to=ROAM.link_from)
    log.async_record(there)
    log.async_record(back)
    assert log.roams(ANNA, 0) == [back, there]


async def test_roam_log_keeps_only_roams_of_tracked_clients(hass: HomeAssistant) -> None:
    log = await loaded(hass, ANNA)
    for kind in EventKind:
        log.async_record(roam(kind=kind))
    log.async_record(roam(BEN))
    assert {event.kind for event in log.roams(ANNA, 0)} == {EventKind.ROAM, EventKind.ROAM_RADIO}
    assert log.roams(BEN, 0) == []


async def test_roam_log_of_a_restless_client_drops_only_its_own_oldest_roams(
    hass: HomeAssistant,
) -> None:
    log = await loaded(hass)
    log.async_record(roam(BEN, -1))
    for at in range(CLIENT_LIMIT + 5):
        log.async_record(roam(at=at))
    assert len(log.roams(ANNA, 0)) == CLIENT_LIMIT
    assert times(log.roams(ANNA, 0))[-1] == 5
    assert times(log.roams(BEN, 0)) == [-1]


async def test_full_roam_log_drops_the_oldest_roams_and_stays_small(hass: HomeAssistant) -> None:
    clients = [f"02:00:00:00:01:{number:02x}" for number in range(100)]
    log = await loaded(hass, *clients)
    for at in range(SITE_LIMIT + 150):
        log.async_record(roam(clients[at % 100], at))
    kept = sorted(at for mac in clients for at in times(log.roams(mac, 0)))
    assert kept == list(range(150, SITE_LIMIT + 150))
    assert len(prepare_save_json(log._to_save())[1]) < 700_000


async def test_roam_log_drops_a_clients_only_roam_if_it_is_the_oldest(
    hass: HomeAssistant,
) -> None:
    clients = [f"02:00:00:00:01:{number:02x}" for number in range(20)]
    log = await loaded(hass, BEN, *clients)
    log.async_record(roam(BEN))
    for at in range(SITE_LIMIT):
        log.async_record(roam(clients[at % 20], at + 1))
    assert log.roams(BEN, 0) == []
    log.async_record(roam(BEN, SITE_LIMIT + 1))
    assert times(log.roams(BEN, 0)) == [SITE_LIMIT + 1]


async def test_roam_log_keeps_everything_over_a_restart_except_untracked_clients(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    log = await loaded(hass)
    events = [
        roam(),
        replace(
            roam(at=1),
            link_from=Link(HALL, None, 1),
            link_to=Link(KITCHEN, "6"),
            signal=None,
            roam_gap=None,
        ),
        replace(roam(at=2, kind=EventKind.ROAM_RADIO), link_to=ROAM.link_from, inferred=False),
        replace(roam(at=3), late=True),
    ]
    for event in (*events, roam(BEN)):
        log.async_record(event)
    await log.async_save()
    assert KEY in hass_storage

    tracked = {ANNA}
    again = RoamLog(hass, "entry", tracked)
    await again.async_load()
    assert again.roams(ANNA, 0) == events[::-1]
    assert again.roams(BEN, 0) == []
    # A client that is no longer tracked is not saved either.
    again.async_record(roam())
    tracked.clear()
    await again.async_save()
    assert hass_storage[KEY]["data"] == {"clients": {}}


async def test_roam_log_is_saved_five_minutes_after_the_first_change(
    hass: HomeAssistant, hass_storage: dict[str, Any], freezer: FrozenDateTimeFactory
) -> None:
    log = await loaded(hass)

    async def pass_minutes(minutes: int) -> None:
        freezer.tick(timedelta(minutes=minutes))
        async_fire_time_changed(hass, dt_util.utcnow())
        await hass.async_block_till_done()

    log.async_record(roam())
    await pass_minutes(4)
    assert KEY not in hass_storage
    log.async_record(roam(at=1))
    await pass_minutes(2)
    assert len(hass_storage[KEY]["data"]["clients"][ANNA]) == 2
    hass_storage.clear()
    await log.async_save()
    assert KEY not in hass_storage


def a_row(**changes: object) -> list[object]:
    """Return a row with some of its values changed, as saved before it said what was late."""
    row = {
        "kind": "roam",
        "time": START,
        "name": "Anna",
        "guest": False,
        "ssid": "Home",
        "ap_from": HALL,
        "ap_to": KITCHEN,
        "band_from": "2.4",
        "band_to": "6",
        "channel_from": 1,
        "channel_to": 37,
        "signal": -61,
        "source": "sync",
        "inferred": True,
        "roam_gap": 0.75,
    }
    return list((row | changes).values())


@pytest.mark.parametrize(
    "bad",
    [
        None,
        7,
        "roam",
        {},
        [],
        a_row()[:-1],
        a_row(kind="disconnected"),
        a_row(kind=["roam"]),
        a_row(kind="teleported"),
        a_row(time=None),
        a_row(time=1e300),
        a_row(name=7),
        a_row(ap_from=None),
        a_row(ap_to="Kitchen"),
        a_row(source="rumour"),
    ],
)
async def test_roam_log_drops_an_unusable_row_and_no_other(
    hass: HomeAssistant, hass_storage: dict[str, Any], bad: object
) -> None:
    rows = [a_row(), bad, a_row(time=START + 1)]
    hass_storage[KEY] = {"version": 1, "key": KEY, "data": {"clients": {ANNA: rows}}}
    log = await loaded(hass)
    assert log.roams(ANNA, 0) == [roam(at=1), roam()]


async def test_roam_log_reads_an_implausible_value_as_unknown(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    row = a_row(ssid=1, band_to="7", channel_to=-1, signal=12, roam_gap="soon")
    hass_storage[KEY] = {"version": 1, "key": KEY, "data": {"clients": {ANNA: [row]}}}
    log = await loaded(hass)
    assert log.roams(ANNA, 0) == [
        replace(
            roam(),
            link_from=Link(HALL, "2.4", 1),
            link_to=Link(KITCHEN),
            signal=None,
            roam_gap=None,
        )
    ]


@pytest.mark.parametrize(
    "stored",
    [
        {"version": 1, "data": []},
        {"version": 1, "data": {"clients": [ANNA]}},
        {"version": 1, "data": {"clients": {ANNA: 7}}},
        {"version": 1, "data": {"days": {}}},
        {"version": 2, "data": {"clients": {}}},
        {"data": {"clients": {}}},
        [1, 2],
    ],
)
async def test_roam_log_is_empty_with_a_foreign_file_and_is_saved_again(
    hass: HomeAssistant, hass_storage: dict[str, Any], stored: object
) -> None:
    hass_storage[KEY] = stored
    log = await loaded(hass)
    assert log.roams(ANNA, 0) == []
    log.async_record(roam())
    await log.async_save()
    assert hass_storage[KEY]["version"] == 1


@pytest.mark.usefixtures("socket_enabled")
async def test_roam_log_of_a_site_survives_a_reload_and_is_deleted_with_the_entry(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    async with furnished_home(hass) as home:
        await home.set_up()
        await home.controller.roam("Anna", "Kitchen")
        await home.happened(1)
        (before,) = home.coordinator.roam_log.roams(ANNA, 0)
        assert (before.ap_from, before.ap_to) == (HALL, KITCHEN)

        snapshots = home.snapshots
        await hass.config_entries.async_reload(home.entry.entry_id)
        await home.streaming(snapshots + 2)
        assert home.coordinator.roam_log.roams(ANNA, 0) == [before]

        await home.quiet()
        await hass.config_entries.async_remove(home.entry.entry_id)
        assert not [key for key in hass_storage if home.entry.entry_id in key]


@pytest.mark.usefixtures("socket_enabled")
async def test_roam_log_of_a_newer_version_does_not_prevent_the_set_up(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    async with furnished_home(hass) as home:
        await home.set_up()
        await home.quiet()
        await hass.config_entries.async_unload(home.entry.entry_id)
        hass_storage[f"{DOMAIN}.{home.entry.entry_id}.roams"] = {"version": 99, "data": None}
        snapshots = home.snapshots
        assert await hass.config_entries.async_setup(home.entry.entry_id)
        await home.streaming(snapshots + 2)
        assert home.coordinator.roam_log.roams(ANNA, 0) == []
