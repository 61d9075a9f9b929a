"""Location filters of triggers and conditions."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.unifi_scanner.automation.device_filter import LocationFilter
from custom_components.unifi_scanner.const import DOMAIN
from tests.home import HALL, KITCHEN


class Site:
    """A config entry with the devices of its controller and of two access points."""

    def __init__(self, hass: HomeAssistant, unique_id: str) -> None:
        """Register the entry and its devices, without setting the entry up."""
        entry = MockConfigEntry(domain=DOMAIN, unique_id=unique_id)
        entry.add_to_hass(hass)
        self.entry_id = entry.entry_id
        self.controller, self.hall, self.kitchen = (
            dr.async_get(hass)
            .async_get_or_create(config_entry_id=entry.entry_id, identifiers={(DOMAIN, identifier)})
            .id
            for identifier in (unique_id, f"{unique_id}_{HALL}", f"{unique_id}_{KITCHEN}")
        )


def test_an_empty_location_filter_matches_everything(hass: HomeAssistant) -> None:
    assert LocationFilter(hass).async_matches("1", None, None)


def test_an_access_point_matches_only_itself(hass: HomeAssistant) -> None:
    site = Site(hass, "home_default")
    hall = LocationFilter(hass, [site.hall])
    assert hall.async_matches(site.entry_id, HALL, None)
    assert not hall.async_matches(site.entry_id, KITCHEN, "area")
    assert not hall.async_matches(site.entry_id, None, None)


def test_a_controller_matches_every_access_point_of_its_own_site(hass: HomeAssistant) -> None:
    site, other = Site(hass, "home_default"), Site(hass, "home_garden")
    whole_site = LocationFilter(hass, [site.controller])
    assert whole_site.async_matches(site.entry_id, HALL, None)
    assert whole_site.async_matches(site.entry_id, KITCHEN, None)
    assert not whole_site.async_matches(site.entry_id, None, None)
    assert not whole_site.async_matches(other.entry_id, HALL, None)


def test_an_area_matches_every_access_point_in_it(hass: HomeAssistant) -> None:
    site = Site(hass, "home_default")
    area = LocationFilter(hass, areas=["ground", "roof"])
    assert area.async_matches(site.entry_id, HALL, "roof")
    assert not area.async_matches(site.entry_id, HALL, "cellar")
    assert not area.async_matches(site.entry_id, HALL, None)


def test_a_deleted_device_matches_nothing(hass: HomeAssistant) -> None:
    site = Site(hass, "home_default")
    location = LocationFilter(hass, ["gone", site.kitchen])
    assert location.async_matches(site.entry_id, KITCHEN, None)
    assert not location.async_matches(site.entry_id, HALL, None)
