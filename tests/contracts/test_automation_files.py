"""The YAML files of actions, triggers and conditions match the code and the translations."""

from collections.abc import Iterator
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import selector
from homeassistant.setup import async_setup_component
import probatio
import pytest

from custom_components.unifi_scanner.condition import async_get_conditions
from custom_components.unifi_scanner.const import DOMAIN
from custom_components.unifi_scanner.trigger import async_get_triggers
from tests.contracts.files import TEXTS, read_yaml

KINDS = ("conditions", "services", "triggers")


def fields_of(kind: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield each field in a YAML file, with the name of its action, trigger or condition."""
    for name, described in read_yaml(f"{kind}.yaml").items():
        for field, settings in ((described or {}).get("fields") or {}).items():
            yield name, field, settings


async def test_actions_in_yaml_are_those_registered(hass: HomeAssistant) -> None:
    assert await async_setup_component(hass, DOMAIN, {})
    actions = hass.services.async_services_for_domain(DOMAIN)
    assert actions.keys() == read_yaml("services.yaml").keys()


async def test_fields_of_actions_in_yaml_match_the_schema(hass: HomeAssistant) -> None:
    assert await async_setup_component(hass, DOMAIN, {})
    for name, action in hass.services.async_services_for_domain(DOMAIN).items():
        described = read_yaml("services.yaml")[name].get("fields", {})
        assert action.schema is not None
        required = {
            str(field.schema): isinstance(field, probatio.Required)
            for field in action.schema.schema
        }
        assert required == {
            field: settings.get("required", False) for field, settings in described.items()
        }


async def test_triggers_in_yaml_are_those_in_the_code(hass: HomeAssistant) -> None:
    assert (await async_get_triggers(hass)).keys() == read_yaml("triggers.yaml").keys()


async def test_conditions_in_yaml_are_those_in_the_code(hass: HomeAssistant) -> None:
    assert (await async_get_conditions(hass)).keys() == read_yaml("conditions.yaml").keys()


@pytest.mark.parametrize("kind", KINDS)
def test_actions_triggers_and_conditions_have_exactly_their_texts(kind: str) -> None:
    described = read_yaml(f"{kind}.yaml")
    assert TEXTS[kind].keys() == described.keys()
    for name, texts in TEXTS[kind].items():
        assert texts["name"]
        assert texts["description"]
        fields = ((described[name] or {}).get("fields") or {}).keys()
        assert texts.get("fields", {}).keys() == fields, name
        assert all(field.keys() == {"name", "description"} for field in texts["fields"].values())


@pytest.mark.parametrize("kind", KINDS)
def test_each_field_has_a_selector_whose_options_have_texts(kind: str) -> None:
    for name, field, settings in fields_of(kind):
        selector.validate_selector(settings["selector"])
        select = settings["selector"].get("select")
        if select is not None:
            options = TEXTS["selector"][select["translation_key"]]["options"]
            assert options.keys() == set(select["options"]), (name, field)
