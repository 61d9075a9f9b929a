"""The history of a site: roams, days and known clients."""

from copy import replace
from datetime import UTC, datetime
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.unifi_scanner.api.records import EventKind
from custom_components.unifi_scanner.const import DOMAIN
from custom_components.unifi_scanner.roaming import ClientEvent, ClientState
from custom_components.unifi_scanner.site import history as module
from custom_components.unifi_scanner.site.history import SiteHistory, async_remove_history
from tests.home import ANNA, BEN, CARA, HALL
from tests.samples import ROAM, STATE

KEY = f"{DOMAIN}.entry"


@pytest.fixture(autouse=True)
async def _berlin(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    """Set the time to 23:30 in Berlin, which is 22:30 UTC."""
    freezer.move_to("2026-11-21 22:30:00+00:00")
    await hass.config.async_set_time_zone("Europe/Berlin")


async def loaded(hass: HomeAssistant, *tracked: str) -> SiteHistory:
    history = SiteHistory(hass, "entry", set(tracked))
    await history.async_load()
    return history


def roam(mac: str, at: str, ahead: float = 0.0) -> tuple[ClientEvent, ClientState, float]:
    """Return the arguments to record a roam, with a controller's clock this far ahead."""
    time = datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp()
    dated = time + ahead
    return replace(ROAM, mac=mac, time=dated), replace(STATE, mac=mac, last_roam=dated), time


async def test_history_has_tracked_clients_only_but_counts_all_roams(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    history = await loaded(hass, ANNA)
    history.async_record(*roam(ANNA, "2026-11-21 22:10"))
    history.async_record(*roam(BEN, "2026-11-21 22:20"))
    assert history.roams_today == 2
    assert history.client(ANNA).roams_today == 1
    assert history.client(BEN).roams_today == 0
    await history.async_save()
    assert set(hass_storage[KEY]["data"]["clients"]) == {ANNA}


async def test_history_does_not_count_a_roam_from_before_midnight(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    history = await loaded(hass, ANNA)
    freezer.move_to("2026-11-21 23:00:10+00:00")
    history.async_begin_day()
    history.async_record(*roam(ANNA, "2026-11-21 22:59"))
    assert history.roams_today == 0
    assert history.client(ANNA).last_roam is not None
    history.async_record(*roam(ANNA, "2026-11-21 23:00:05"))
    assert history.roams_today == 1
    assert not history.async_begin_day()
    assert history.roams_today == 1


async def test_history_day_is_independent_of_the_controllers_clock(hass: HomeAssistant) -> None:
    history = await loaded(hass, ANNA)
    days = 3 * 86400.0
    history.async_record(*roam(ANNA, "2026-11-21 22:10", ahead=-days))
    assert history.roams_today == 1
    history.async_record(*roam(ANNA, "2026-11-20 22:10", ahead=days))
    assert history.roams_today == 1
    assert history.client(ANNA).roams_today == 1


async def test_history_counts_roams_only(hass: HomeAssistant) -> None:
    history = await loaded(hass, ANNA)
    event, state, at = roam(ANNA, "2026-11-21 22:10")
    for kind in set(EventKind) - {EventKind.ROAM}:
        history.async_record(replace(event, kind=kind), state, at)
    assert history.roams_today == 0


@pytest.mark.parametrize(
    ("then", "counts"), [("2026-11-21 22:59:00+00:00", 1), ("2026-11-21 23:01:00+00:00", 0)]
)
async def test_history_keeps_counts_over_a_restart_on_the_same_day_only(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, then: str, counts: int
) -> None:
    history = await loaded(hass, ANNA)
    history.async_record(*roam(ANNA, "2026-11-21 22:10"))
    await history.async_save()
    freezer.move_to(then)
    again = await loaded(hass, ANNA)
    assert (again.roams_today, again.client(ANNA).roams_today) == (counts, counts)
    assert again.client(ANNA).last_roam == history.client(ANNA).last_roam
    assert again.client(ANNA).previous_ap_mac == HALL


async def test_history_drops_a_client_that_is_no_longer_tracked(hass: HomeAssistant) -> None:
    history = await loaded(hass, ANNA, BEN)
    history.async_record(*roam(ANNA, "2026-11-21 22:10"))
    history.async_record(*roam(BEN, "2026-11-21 22:10"))
    await history.async_save()
    assert (await loaded(hass, BEN)).client(ANNA).last_roam is None


async def test_history_save_is_not_postponed_by_further_roams(
    hass: HomeAssistant, hass_storage: dict[str, Any], freezer: FrozenDateTimeFactory
) -> None:
    history = await loaded(hass, ANNA)
    for _ in range(4):
        history.async_record(*roam(ANNA, "2026-11-21 22:40"))
        freezer.tick(10)
        async_fire_time_changed(hass)
        await hass.async_block_till_done()
    assert hass_storage[KEY]["data"]["roams_today"] >= 3


async def test_history_without_changes_is_not_saved(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    history = await loaded(hass, ANNA)
    await history.async_save()
    assert KEY not in hass_storage


async def test_removed_history_is_deleted_from_disk(
    hass: HomeAssistant, hass_storage: dict[str, Any]
) -> None:
    history = await loaded(hass, ANNA)
    history.async_record(*roam(ANNA, "2026-11-21 22:10"))
    await history.async_save()
    await async_remove_history(hass, "entry")
    assert KEY not in hass_storage


async def test_history_keeps_known_clients_over_a_restart(hass: HomeAssistant) -> None:
    history = await loaded(hass)
    assert not history.is_seeded
    history.async_seed_known([ANNA])
    history.async_mark_known([CARA])
    await history.async_save()
    again = await loaded(hass)
    assert again.is_seeded
    assert again.is_known(ANNA)
    assert again.is_known(CARA)
    assert not again.is_known(BEN)


async def test_history_is_not_seeded_by_marking_a_client_known(
    hass: HomeAssistant,
) -> None:
    history = await loaded(hass)
    history.async_mark_known([ANNA])
    assert not history.is_seeded


async def test_history_drops_known_clients_not_seen_for_longest(
    hass: HomeAssistant, hass_storage: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_KNOWN_LIMIT", 2)
    history = await loaded(hass)
    history.async_seed_known(["a", "b"])
    history.async_mark_known(["c"])
    history.async_touch(["a", "unknown"])
    await history.async_save()
    assert hass_storage[KEY]["data"]["known"] == ["c", "a"]


async def test_history_keeps_all_connected_clients_known_beyond_the_limit(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_KNOWN_LIMIT", 2)
    history = await loaded(hass)
    history.async_seed_known(["gone", "a", "b", "c"])
    history.async_touch(["a", "b", "c"])
    assert all(history.is_known(mac) for mac in ("a", "b", "c"))
    assert not history.is_known("gone")
    await history.async_save()
