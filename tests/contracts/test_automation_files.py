"""The YAML files of actions, triggers and conditions match the code, the texts and the examples."""

from collections.abc import Iterator
import re
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import selector
from homeassistant.setup import async_setup_component
import probatio
import pytest
import yaml

from custom_components.unifi_scanner.condition import async_get_conditions
from custom_components.unifi_scanner.const import DOMAIN
from custom_components.unifi_scanner.trigger import async_get_triggers
from tests.contracts.files import ROOT, TEXTS, read_yaml
from tests.demo.configuration import INCLUDED

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


# Examples


def examples() -> Iterator[Any]:
    """Yield the demo's automations and each YAML document in the Markdown files."""
    yield INCLUDED["automation"]
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")):
        for block in re.findall(r"```yaml\n(.*?)```", path.read_text(), re.DOTALL):
            yield yaml.safe_load(block)


def event_triggers(document: object) -> Iterator[dict[str, Any]]:
    """Yield every trigger on one of our events on the bus."""
    if isinstance(document, dict):
        if "event_type" in document and DOMAIN in str(document["event_type"]):
            yield document
        document = list(document.values())
    if isinstance(document, list):
        for each in document:
            yield from event_triggers(each)


def test_every_event_trigger_in_an_example_leaves_out_late_events() -> None:
    triggers = list(event_triggers(list(examples())))
    assert len(triggers) >= 2
    assert [trigger["event_data"].get("late") for trigger in triggers] == [False] * len(triggers)
