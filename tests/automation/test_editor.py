"""What the automation editor lists and validates for triggers and conditions."""

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
import probatio
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.unifi_scanner.condition import CONDITIONS
from custom_components.unifi_scanner.site.devices import MANUFACTURER
from custom_components.unifi_scanner.trigger import TRIGGERS
from tests.automations import condition, device_id, trigger
from tests.contracts.files import read_yaml
from tests.home import ANNA, HALL, KITCHEN, Home

pytestmark = pytest.mark.usefixtures("socket_enabled")

FILES = {"triggers.yaml": TRIGGERS, "conditions.yaml": CONDITIONS}


def fields() -> list[Any]:
    """Return the fields of each trigger and condition, in the code and in the YAML file."""
    return [
        pytest.param(classes[name].fields, described["fields"], id=name)
        for file, classes in FILES.items()
        for name, described in read_yaml(file).items()
    ]


@pytest.mark.parametrize(("in_code", "in_file"), fields())
def test_fields_in_yaml_are_those_in_the_code(
    in_code: dict[probatio.Marker, Any], in_file: dict[str, Any]
) -> None:
    required = {str(field.schema): isinstance(field, probatio.Required) for field in in_code}
    assert required == {name: settings.get("required", False) for name, settings in in_file.items()}


@pytest.mark.parametrize(("in_code", "in_file"), fields())
def test_field_defaults_in_yaml_are_valid(
    in_code: dict[probatio.Marker, Any], in_file: dict[str, Any]
) -> None:
    for name, settings in in_file.items():
        if "default" in settings:
            partial = {field: rule for field, rule in in_code.items() if field.schema == name}
            probatio.Schema(partial)({name: settings["default"]})


@pytest.mark.parametrize("file", FILES)
def test_access_point_selectors_filter_by_manufacturer(file: str) -> None:
    for described in read_yaml(file).values():
        for name, settings in described["fields"].items():
            if name.endswith("access_points"):
                assert settings["selector"]["device"]["filter"]["manufacturer"] == MANUFACTURER


# Against a running Home Assistant


@pytest.fixture
async def home(home: Home) -> Home:
    await home.set_up()
    assert await async_setup_component(home.hass, "websocket_api", {})
    return home


@pytest.mark.parametrize("kind", ["trigger", "condition"])
async def test_the_editor_lists_every_trigger_and_condition_with_its_fields(
    home: Home, hass_ws_client: WebSocketGenerator, kind: str
) -> None:
    client = await hass_ws_client(home.hass)
    await client.send_json_auto_id({"type": f"{kind}_platforms/subscribe"})
    assert (await client.receive_json())["success"]
    listed = (await client.receive_json())["event"]
    ours = {
        name: described["fields"].keys()
        for name, described in listed.items()
        if name.startswith("unifi_scanner.")
    }
    assert ours == {
        f"unifi_scanner.{name}": described["fields"].keys()
        for name, described in read_yaml(f"{kind}s.yaml").items()
    }


async def validation_error(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, kind: str, config: dict[str, Any]
) -> str | None:
    """Return the error that the editor shows for a configuration, None if it is valid."""
    client = await hass_ws_client(hass)
    await client.send_json_auto_id({"type": "validate_config", kind: [config]})
    result = (await client.receive_json())["result"][kind]
    error: str | None = result["error"]
    assert result["valid"] is (error is None)
    return error


async def test_a_device_of_another_integration_is_rejected(
    home: Home, hass_ws_client: WebSocketGenerator
) -> None:
    entry = MockConfigEntry(domain="lamps")
    entry.add_to_hass(home.hass)
    lamp = dr.async_get(home.hass).async_get_or_create(
        config_entry_id=entry.entry_id, identifiers={("lamps", "1")}, name="Lamp"
    )
    for kind, config, what in (
        ("triggers", trigger("client_roamed", clients=[lamp.id]), "a client"),
        ("triggers", trigger("client_connected", access_points=[lamp.id]), "an access point"),
        ("triggers", trigger("client_roamed", from_access_points=lamp.id), "an access point"),
        ("conditions", condition("client_is_connected_to", clients=[lamp.id]), "a client"),
    ):
        error = await validation_error(home.hass, hass_ws_client, kind, config)
        assert error is not None
        assert error.startswith(f"Lamp is not {what} of UniFi Scanner.")


async def test_a_client_is_no_access_point_and_vice_versa(
    home: Home, hass_ws_client: WebSocketGenerator
) -> None:
    for config, message in (
        (trigger("client_roamed", clients=[device_id(home, HALL)]), "Hall is not a client"),
        (trigger("client_roamed", clients=[device_id(home)]), "Home is not a client"),
        (
            trigger("client_roamed", to_access_points=[device_id(home, ANNA)]),
            "Anna is not an access point",
        ),
    ):
        error = await validation_error(home.hass, hass_ws_client, "triggers", config)
        assert error is not None
        assert error.startswith(message)


async def test_a_path_trigger_rejects_the_controller(
    home: Home, hass_ws_client: WebSocketGenerator
) -> None:
    path = [device_id(home), device_id(home, HALL)]
    config = trigger("client_followed_path", access_points=path, within={"minutes": 1})
    error = await validation_error(home.hass, hass_ws_client, "triggers", config)
    assert str(error).startswith("Home is the controller")


@pytest.mark.parametrize(
    ("access_points", "areas", "valid"),
    [
        ((), (), False),
        ((HALL,), (), False),
        ((), ("hall",), False),
        ((HALL, KITCHEN), ("hall", "attic"), False),
        ((HALL, KITCHEN), ("hall",), False),
        ((HALL, KITCHEN), (), True),
        ((), ("hall", "attic"), True),
        ((HALL, KITCHEN, HALL), (), True),
    ],
)
async def test_a_path_trigger_needs_two_access_points_or_two_areas(
    home: Home,
    hass_ws_client: WebSocketGenerator,
    access_points: tuple[str, ...],
    areas: tuple[str, ...],
    *,
    valid: bool,
) -> None:
    config = trigger(
        "client_followed_path",
        access_points=[device_id(home, mac) for mac in access_points],
        areas=list(areas),
        within={"minutes": 1},
    )
    error = await validation_error(home.hass, hass_ws_client, "triggers", config)
    assert error is None if valid else str(error).startswith("A path needs at least two")


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("triggers", trigger("client_roamed", signal_below=70)),
        ("triggers", trigger("client_roamed", band=["5"])),
        ("triggers", trigger("client_roamed", clients=[], colour="red")),
        ("triggers", trigger("client_followed_path", areas=["hall", "attic"])),
        ("triggers", trigger("guest_connected", clients=["1"])),
        ("conditions", condition("client_is_connected_to")),
        ("conditions", condition("client_is_connected_to", clients=[])),
        ("conditions", condition("client_is_connected_to", clients=["1"], behavior="some")),
        ("conditions", condition("client_is_in_area", clients=["1"])),
    ],
)
async def test_an_invalid_configuration_is_rejected(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, kind: str, config: dict[str, Any]
) -> None:
    assert await async_setup_component(hass, "websocket_api", {})
    assert await validation_error(hass, hass_ws_client, kind, config) is not None
