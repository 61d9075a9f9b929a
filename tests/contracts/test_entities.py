"""Rules that every entity follows, checked in a home with entities of all platforms."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
)
from homeassistant.helpers.entity_component import DATA_INSTANCES
import pytest

from custom_components.unifi_scanner import PLATFORMS
from custom_components.unifi_scanner.entity import UnifiScannerEntity
from tests.contracts.files import ICONS
from tests.home import HALL, UNIQUE_ID, Home

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture
async def home(hass: HomeAssistant, home: Home) -> Home:
    await home.set_up()
    hall = home.device(HALL)
    assert hall is not None
    area = ar.async_get(hass).async_create("Ground floor")
    dr.async_get(hass).async_update_device(hall.id, area_id=area.id)
    await hass.async_block_till_done()
    return home


def entities_of(home: Home) -> list[UnifiScannerEntity]:
    """Return every enabled entity of the home."""
    components = home.hass.data[DATA_INSTANCES]
    found = [
        entity
        for platform in PLATFORMS
        for entity in components[platform].entities
        if isinstance(entity, UnifiScannerEntity)
    ]
    assert {entity.platform.domain for entity in found} == set(PLATFORMS)
    return found


async def test_every_entity_has_a_unique_id_that_starts_with_the_entrys(home: Home) -> None:
    entries = er.async_entries_for_config_entry(er.async_get(home.hass), home.entry.entry_id)
    ids = [(entry.domain, entry.unique_id) for entry in entries]
    assert len(ids) == len(set(ids)) >= len(entities_of(home))
    assert all(unique_id.startswith(f"{UNIQUE_ID}_") for _, unique_id in ids)


async def test_every_entity_is_named_after_its_device(home: Home) -> None:
    for entity in entities_of(home):
        assert entity.has_entity_name
        assert entity.device_info


async def test_every_entity_has_a_device_class_or_an_icon(home: Home) -> None:
    for entity in entities_of(home):
        icons = ICONS["entity"][entity.platform.domain]
        assert entity.device_class or entity.translation_key in icons, entity.entity_id
