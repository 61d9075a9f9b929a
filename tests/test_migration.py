"""Entries of earlier and later releases."""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.unifi_scanner import async_migrate_entry
from custom_components.unifi_scanner.const import DOMAIN

DATA = {"host": "unifi.lan", "url": "https://unifi.lan:443", "site": "default"}


@pytest.mark.parametrize(
    ("known", "controller_id"),
    [
        ("2a8bea5a-3b3f-f166-9a9d-a8f5a1b2c3d4", "2a8bea5a-3b3f-f166-9a9d-a8f5a1b2c3d4"),
        ("unifi.lan", None),
        ("10.0.0.1", None),
        ("fd00::1", None),
    ],
)
async def test_entry_of_an_earlier_release_gets_its_controllers_id(
    hass: HomeAssistant, known: str, controller_id: str | None
) -> None:
    entry = MockConfigEntry(domain=DOMAIN, data=DATA, unique_id=f"{known}_default")
    entry.add_to_hass(hass)
    assert await async_migrate_entry(hass, entry)
    assert entry.data == {**DATA, "controller_id": controller_id}
    assert (entry.version, entry.minor_version) == (1, 2)
    assert entry.unique_id == f"{known}_default"


async def test_entry_of_a_later_minor_version_is_used_as_it_is(hass: HomeAssistant) -> None:
    entry = MockConfigEntry(domain=DOMAIN, data=DATA, unique_id="a_default", minor_version=7)
    entry.add_to_hass(hass)
    assert await async_migrate_entry(hass, entry)
    assert (dict(entry.data), entry.minor_version) == (DATA, 7)


async def test_entry_of_a_later_major_version_is_refused(hass: HomeAssistant) -> None:
    entry = MockConfigEntry(domain=DOMAIN, data=DATA, unique_id="a_default", version=2)
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.MIGRATION_ERROR
