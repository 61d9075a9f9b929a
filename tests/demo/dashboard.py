"""The demo's dashboard, built from Home Assistant's own cards only."""

from .home_assistant import HomeAssistant, Json
from .registry import Device, Registry

URL_PATH = "unifi-scanner"
# The demo's people roam every few seconds: a longer history would be unreadable.
HISTORY_HOURS = 1 / 60
LOGBOOK_HOURS = 1 / 6
AUTOMATION = "automation.the_light_follows_anna"
WELCOME = (
    "A few people walk around a small house with their phones. When a phone moves from one "
    "access point to another, it **roams**. This page shows it within a second, and an automation "
    "makes the light follow Anna.\n\n"
    "- **Select a phone** to see its details.\n"
    "- **Look at the automation**, or create one: *Settings > Automations & scenes*.\n"
    "- **Listen to roam events**: *Settings > Tools > Events*, `unifi_scanner_roam`."
)
GUEST = (
    "A guest is walking around too, with a *Galaxy-S24*. The phone has no name in UniFi, so it was "
    "not selected and has no device. Its roams are still fired as events, as the terminal shows."
)


async def create(hass: HomeAssistant, registry: Registry) -> None:
    """Create the dashboard and make it Home Assistant's default page."""
    await hass.command(
        "lovelace/dashboards/create",
        url_path=URL_PATH,
        title="Who is where",
        icon="mdi:home-map-marker",
    )
    await hass.command("lovelace/config/save", url_path=URL_PATH, config=_config(registry))
    await hass.command("frontend/set_system_data", key="core", value={"default_panel": URL_PATH})


def _config(registry: Registry) -> Json:
    site = registry.site
    badges = [site[key] for key in ("event_stream", "wireless_clients", "roams_today")]
    phones = [client for client in registry.clients if client.name.endswith("phone")]
    others = [client for client in registry.clients if client not in phones]
    where = [client["access_point"] for client in phones]
    view = {
        "type": "sections",
        "title": "Who is where",
        "max_columns": 3,
        "badges": [{"type": "entity", "entity": entity, "show_name": True} for entity in badges],
        "sections": [
            _section(
                "Current and previous access points",
                "mdi:account-group",
                *(card for phone in phones for card in (_now(phone), _before(phone))),
                *(_now(other, icon="mdi:speaker-wireless") for other in others),
                {"type": "markdown", "content": WELCOME},
            ),
            _section(
                "Clients and light by area",
                "mdi:home-outline",
                *(
                    card
                    for device in registry.access_points
                    for card in (_clients(device), _light(registry.lights[device.name]))
                ),
                _wide({"type": "tile", "entity": AUTOMATION, "icon": "mdi:robot"}),
            ),
            _section(
                "Recent roams",
                "mdi:transit-connection-variant",
                {
                    "type": "logbook",
                    "target": {"entity_id": where},
                    "hours_to_show": LOGBOOK_HOURS,
                    "grid_options": {"columns": "full", "rows": 7},
                },
                {"type": "markdown", "content": GUEST},
            ),
            _section(
                "The last minute, one colour per access point",
                "mdi:chart-timeline",
                _wide(
                    {
                        "type": "history-graph",
                        "entities": [
                            {"entity": phone["access_point"], "name": phone.name}
                            for phone in phones
                        ],
                        "hours_to_show": HISTORY_HOURS,
                    }
                ),
            )
            | {"column_span": 3},
        ],
    }
    return {"views": [view]}


def _now(device: Device, icon: str = "mdi:cellphone") -> Json:
    return {
        "type": "tile",
        "entity": device["access_point"],
        "name": device.name,
        "icon": icon,
    }


def _before(phone: Device) -> Json:
    return {
        "type": "tile",
        "entity": phone["previous_access_point"],
        "name": "came from",
        "icon": "mdi:arrow-left",
        "color": "grey",
    }


def _clients(device: Device) -> Json:
    return {"type": "tile", "entity": device["wireless_clients"], "name": device.name}


def _light(entity: str) -> Json:
    return {"type": "tile", "entity": entity, "name": "Light", "color": "amber"}


def _wide(card: Json) -> Json:
    return card | {"grid_options": {"columns": "full"}}


def _section(heading: str, icon: str, *cards: Json) -> Json:
    title = {"type": "heading", "heading": heading, "icon": icon}
    return {"type": "grid", "cards": [title, *cards]}
