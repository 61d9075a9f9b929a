"""The set of tracked clients: membership, changes, listeners and the entry's options."""

from copy import replace
from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.unifi_scanner.const import DOMAIN
from custom_components.unifi_scanner.roaming import ClientState
from custom_components.unifi_scanner.site import tracked as module
from custom_components.unifi_scanner.site.tracked import TrackedClients, async_remove_client
from tests.home import ANNA, BEN, CARA
from tests.samples import STATE


@pytest.fixture
def entry(hass: HomeAssistant) -> MockConfigEntry:
    entry = MockConfigEntry(
        domain=DOMAIN,
        options={"clients": [BEN, ANNA], "add_new_clients": True, "disconnect_delay": 5.0},
    )
    entry.add_to_hass(hass)
    return entry


@pytest.fixture
def tracked(hass: HomeAssistant, entry: MockConfigEntry) -> TrackedClients:
    return TrackedClients(hass, entry)


@pytest.fixture
def calls(tracked: TrackedClients) -> list[set[str]]:
    """Return the members at each call of a listener."""
    calls: list[set[str]] = []
    tracked.async_add_listener(lambda: calls.append(set(tracked)))
    return calls


def state(mac: str, **changes: Any) -> ClientState:
    return replace(STATE, mac=mac, **changes)


def test_tracked_clients_are_those_of_the_options(tracked: TrackedClients) -> None:
    assert tracked == {ANNA, BEN}
    assert len(tracked) == 2
    assert ANNA in tracked
    assert CARA not in tracked


def test_set_operations_on_tracked_clients_return_plain_sets(tracked: TrackedClients) -> None:
    for result, expected in (
        (tracked - {ANNA}, {BEN}),
        (tracked & {ANNA, CARA}, {ANNA}),
        ({ANNA, CARA} & tracked, {ANNA}),
        ({ANNA, CARA} - tracked, {CARA}),
        (tracked | {CARA}, {ANNA, BEN, CARA}),
    ):
        assert result == expected
        assert isinstance(result, frozenset)


async def test_added_clients_are_saved_and_leave_the_options_to_the_user(
    hass: HomeAssistant, tracked: TrackedClients, entry: MockConfigEntry, calls: list[set[str]]
) -> None:
    before = dict(entry.options)
    tracked.async_add([CARA, ANNA])
    assert tracked == {ANNA, BEN, CARA}
    assert entry.options == before
    assert calls == [{ANNA, BEN, CARA}]
    await tracked.async_save()
    restarted = TrackedClients(hass, entry)
    await restarted.async_load()
    assert restarted == {ANNA, BEN, CARA}


@pytest.mark.parametrize("saved", [{}, {"added": None}, {"added": [1, None, {}]}, {"added": "x"}])
async def test_unusable_saved_clients_are_ignored(
    hass: HomeAssistant, entry: MockConfigEntry, hass_storage: dict[str, Any], saved: dict[str, Any]
) -> None:
    key = f"unifi_scanner.{entry.entry_id}.tracked"
    hass_storage[key] = {"version": 1, "minor_version": 1, "key": key, "data": saved}
    tracked = TrackedClients(hass, entry)
    await tracked.async_load()
    assert tracked == {ANNA, BEN}


def test_tracked_clients_that_are_added_again_change_nothing(
    tracked: TrackedClients, entry: MockConfigEntry, calls: list[set[str]]
) -> None:
    tracked.async_add([ANNA])
    tracked.async_add([])
    assert entry.options["clients"] == [BEN, ANNA]
    assert calls == []


def test_tracked_client_is_removed_from_the_options(
    tracked: TrackedClients, entry: MockConfigEntry, calls: list[set[str]]
) -> None:
    tracked.async_remove(ANNA)
    assert tracked == {BEN}
    assert entry.options == {"clients": [BEN], "add_new_clients": True, "disconnect_delay": 5.0}
    tracked.async_remove(CARA)
    assert calls == [{BEN}]


async def test_client_of_an_entry_that_is_not_loaded_is_removed(
    hass: HomeAssistant, tracked: TrackedClients, entry: MockConfigEntry
) -> None:
    tracked.async_add([CARA])
    await tracked.async_save()
    for mac in (ANNA, CARA):
        await async_remove_client(hass, entry, mac)
    assert entry.options["clients"] == [BEN]
    restarted = TrackedClients(hass, entry)
    await restarted.async_load()
    assert restarted == {BEN}


def test_added_clients_are_part_of_a_selection_unless_they_are_to_be_kept(
    tracked: TrackedClients,
) -> None:
    tracked.async_add([CARA])
    tracked.async_follow_options(keep=[CARA])
    assert tracked == {ANNA, BEN, CARA}
    tracked.async_follow_options()
    assert tracked == {ANNA, BEN}


def test_tracked_clients_follow_the_options(
    hass: HomeAssistant,
    tracked: TrackedClients,
    entry: MockConfigEntry,
    calls: list[set[str]],
) -> None:
    options = {**entry.options, "clients": [ANNA, CARA], "add_new_clients": False}
    hass.config_entries.async_update_entry(entry, options=options)
    tracked.async_follow_options()
    tracked.async_follow_options()
    tracked.async_add_new_clients([state(BEN)])
    assert tracked == {ANNA, CARA}
    assert entry.options == options
    assert calls == [{ANNA, CARA}]


def test_listener_of_tracked_clients_unsubscribes(tracked: TrackedClients) -> None:
    calls: list[int] = []
    unsubscribe = tracked.async_add_listener(lambda: calls.append(len(tracked)))
    tracked.async_add([CARA])
    unsubscribe()
    tracked.async_remove(CARA)
    assert calls == [3]


def test_new_clients_are_tracked_except_guests(tracked: TrackedClients) -> None:
    guest = "02:00:00:00:00:0e"
    tracked.async_add_new_clients([state(CARA), state(guest, guest=True)])
    assert tracked == {ANNA, BEN, CARA}


def test_new_clients_are_not_tracked_without_the_option(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    hass.config_entries.async_update_entry(entry, options={"clients": [ANNA]})
    tracked = TrackedClients(hass, entry)
    tracked.async_add_new_clients([state(CARA)])
    assert tracked == {ANNA}


def test_new_clients_are_tracked_up_to_a_limit_that_others_may_exceed(
    tracked: TrackedClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AUTO_ADD_LIMIT", 3)
    macs = [f"02:00:00:00:01:{number:02x}" for number in range(3)]
    tracked.async_add_new_clients(state(mac) for mac in macs)
    assert tracked == {ANNA, BEN, macs[0]}
    tracked.async_add(macs[1:])
    assert len(tracked) == 5
    tracked.async_add_new_clients([state(CARA)])
    assert len(tracked) == 5
