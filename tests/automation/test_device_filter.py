"""What the places are that are chosen for triggers and conditions."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.unifi_scanner.automation.device_filter import LocationFilter
from custom_components.unifi_scanner.const import DOMAIN
from tests.home import HALL, KITCHEN


class Site:
    """A config entry with its controller's device and two access points'."""

    def __init__(self, hass: HomeAssistant, unique_id: str) -> None:
        """Put it into the registries; it is not set up."""
        entry = MockConfigEntry(domain=DOMAIN, unique_id=unique_id)
        entry.add_to_hass(hass)
        self.entry_id = entry.entry_id
        self.controller, self.hall, self.kitchen = (
            dr.async_get(hass)
            .async_get_or_create(config_entry_id=entry.entry_id, identifiers={(DOMAIN, identifier)})
            .id
            for identifier in (unique_id, f"{unique_id}_{HALL}", f"{unique_id}_{KITCHEN}")
        )


def test_no_place_chosen_is_anywhere(hass: HomeAssistant) -> None:
    assert LocationFilter(hass).async_matches("1", None, None)


def test_an_access_point_is_itself(hass: HomeAssistant) -> None:
    site = Site(hass, "home_default")
    hall = LocationFilter(hass, [site.hall])
    assert hall.async_matches(site.entry_id, HALL, None)
    assert not hall.async_matches(site.entry_id, KITCHEN, "area")
    assert not hall.async_matches(site.entry_id, None, None)


def test_a_controller_is_each_access_point_of_its_own_site(hass: HomeAssistant) -> None:
    site, other = Site(hass, "home_default"), Site(hass, "home_garden")
    everywhere = LocationFilter(hass, [site.controller])
    assert everywhere.async_matches(site.entry_id, HALL, None)
    assert everywhere.async_matches(site.entry_id, KITCHEN, None)
    assert not everywhere.async_matches(site.entry_id, None, None)
    assert not everywhere.async_matches(other.entry_id, HALL, None)


def test_an_area_is_each_access_point_in_it(hass: HomeAssistant) -> None:
    site = Site(hass, "home_default")
    area = LocationFilter(hass, areas=["ground", "roof"])
    assert area.async_matches(site.entry_id, HALL, "roof")
    assert not area.async_matches(site.entry_id, HALL, "cellar")
    assert not area.async_matches(site.entry_id, HALL, None)


def test_a_device_that_is_gone_is_nowhere(hass: HomeAssistant) -> None:
    site = Site(hass, "home_default")
    gone = LocationFilter(hass, ["gone", site.kitchen])
    assert gone.async_matches(site.entry_id, KITCHEN, None)
    assert not gone.async_matches(site.entry_id, HALL, None)
