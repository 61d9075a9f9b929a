"""Tests of names that are long or contain invisible characters."""

from collections.abc import AsyncIterator, Mapping

from homeassistant.core import Event, HomeAssistant, valid_entity_id
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.entity import Entity
from homeassistant.util import slugify
import pytest

from custom_components.unifi_scanner.const import DOMAIN
from custom_components.unifi_scanner.site.devices import device_name

from .home import ANNA, BEN, HALL, KITCHEN, Home, furnished_home, until

pytestmark = pytest.mark.usefixtures("socket_enabled")

LIMIT = 255


@pytest.fixture
async def home(hass: HomeAssistant) -> AsyncIterator[Home]:
    async with furnished_home(hass) as home:
        yield home


@pytest.fixture
def _all_enabled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Entity, "entity_registry_enabled_default", True)


@pytest.mark.usefixtures("_all_enabled")
@pytest.mark.parametrize(
    "name",
    ["x" * LIMIT, "x " * 127 + "x", "xx" + " x" * 126 + "y", "手" * LIMIT],
    ids=["one word", "many words", "many words, shifted", "Chinese"],
)
async def test_names_of_255_characters_lose_no_entity(
    hass: HomeAssistant, home: Home, name: str
) -> None:
    """Home Assistant cuts the ids of entities at 255 characters, after which some are invalid."""
    home.world.clients[ANNA].name = name
    home.world.access_point("Hall").name = name
    await home.set_up()
    entries = er.async_get(hass).entities.values()

    def keys(mac: str) -> set[str]:
        ids = {entry.unique_id for entry in entries if mac in entry.unique_id}
        return {unique_id.partition(mac)[2] for unique_id in ids}

    assert len(keys(ANNA)) > 10
    assert keys(ANNA) == keys(BEN)
    assert keys(HALL) == keys(KITCHEN)
    for entry in entries:
        assert valid_entity_id(entry.entity_id), entry.entity_id
        assert hass.states.get(entry.entity_id) is not None, entry.entity_id
    assert home.shows("access_point", ANNA) == name
    # Names that are cut are not mistaken for names that changed.
    updates: list[Event[dr.EventDeviceRegistryUpdatedData]] = []
    hass.bus.async_listen(dr.EVENT_DEVICE_REGISTRY_UPDATED, updates.append)
    await home.coordinator.async_refresh()
    await hass.async_block_till_done()
    assert updates == []
    assert home.coordinator.client(ANNA).name == name


@pytest.mark.parametrize("name", ["x " * 127 + "x", "手" * LIMIT, "\u3000".join("手" * 128)])
def test_device_name_is_cut_where_entity_ids_would_be_too_long(name: str) -> None:
    cut = device_name(name)
    assert name.startswith(cut)
    assert cut == cut.strip()
    assert 100 < len(slugify(cut)) <= 128
    assert device_name("Küche 📱") == "Küche 📱"


async def test_device_of_a_site_with_a_long_name_has_a_short_one(
    hass: HomeAssistant, home: Home
) -> None:
    await home.set_up()
    hass.config_entries.async_update_entry(home.entry, title="x " * 127 + "x")
    home.coordinator.devices.async_register_controller(home.coordinator.system_info)
    device = home.device()
    assert device is not None
    assert device.name == device_name(home.entry.title) != home.entry.title


# Control characters, a soft hyphen, zero-width and bidirectional characters, and a tag.
INVISIBLE = "\0\x07\n\x1b\x7f\x85\u00ad\u200b\u200d\u200e\u2028\u202e\u2066\u2069\ufeff\U000e0041"


async def test_invisible_characters_reach_no_state_event_or_log(
    hass: HomeAssistant, home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    spoiled = INVISIBLE.join(("", "A", "B", ""))
    home.world.clients[ANNA].name = spoiled
    home.world.clients[ANNA].ssid = spoiled
    home.world.access_point("Hall").name = spoiled
    home.world.access_point("Kitchen").name = spoiled
    caplog.set_level("DEBUG")
    await home.set_up()
    await home.controller.send_events(home.world.roam(ANNA, KITCHEN))
    await until(lambda: home.events)
    await hass.async_block_till_done()
    (event,) = home.events
    assert [event.data[key] for key in ("client_name", "ap_to_name", "ssid")] == ["AB"] * 3
    assert home.shows("access_point", ANNA) == "AB"
    shown = [text for state in hass.states.async_all() for text in texts_in(state.as_dict())]
    shown += texts_in(event.data)
    shown += [device.name or "" for device in dr.async_get(hass).devices]
    shown += [record.getMessage() for record in caplog.records if DOMAIN in record.name]
    assert len(shown) > 100
    assert [text for text in shown if set(text) & set(INVISIBLE)] == []


def texts_in(value: object) -> list[str]:
    """Return all texts in a value that may be nested."""
    if isinstance(value, Mapping):
        return [text for each in value.values() for text in texts_in(each)]
    if isinstance(value, list | tuple):
        return [text for each in value for text in texts_in(each)]
    return [str(value)]
