"""The demo's first page: Home Assistant's own cards, nothing else."""

from .home_assistant import HomeAssistant, Json
from .registry import Device, Registry

URL_PATH = "unifi-scanner"
# People here are in a hurry: a few minutes show plenty.
HOURS = 0.05
HELLO = (
    "The people of a small house walk about with their phones. Each line is a phone, each colour "
    "an access point: a change of colour is a **roam**, shown within a second.\n\n"
    "Choose a phone to see more of it. *Settings > Devices & services > UniFi Scanner* has all "
    "devices; *Settings > Developer tools > Events* listens to `unifi_scanner_roam`."
)


async def create(house: HomeAssistant, registry: Registry) -> None:
    """Make the dashboard and let Home Assistant open on it."""
    await house.command(
        "lovelace/dashboards/create",
        url_path=URL_PATH,
        title="Who is where",
        icon="mdi:home-map-marker",
    )
    await house.command("lovelace/config/save", url_path=URL_PATH, config=_config(registry))
    await house.command("frontend/set_system_data", key="core", value={"default_panel": URL_PATH})


def _config(registry: Registry) -> Json:
    site = registry.site
    badges = [site[key] for key in ("event_stream", "wireless_clients", "roams_today")]
    where = [client["access_point"] for client in registry.clients]
    counts = [device["wireless_clients"] for device in registry.access_points]
    view = {
        "type": "sections",
        "title": "Who is where",
        "max_columns": 3,
        "badges": [{"type": "entity", "entity": entity, "show_name": True} for entity in badges],
        "sections": [
            _section(
                "Where everyone is",
                "mdi:account-group",
                *(_client(client) for client in registry.clients),
                {"type": "markdown", "content": HELLO},
            ),
            _section(
                "Clients per access point",
                "mdi:access-point",
                *(_access_point(device) for device in registry.access_points),
                {"type": "history-graph", "entities": counts, "hours_to_show": HOURS},
            ),
            _section(
                "The last roams",
                "mdi:transit-connection-variant",
                {"type": "history-graph", "entities": where, "hours_to_show": HOURS},
                {"type": "logbook", "target": {"entity_id": where}, "hours_to_show": 1},
            ),
        ],
    }
    return {"views": [view]}


def _client(device: Device) -> Json:
    return {
        "type": "tile",
        "entity": device["access_point"],
        "name": device.name,
        "icon": "mdi:cellphone",
        "state_content": ["state", "last_changed"],
        "grid_options": {"columns": "full"},
    }


def _access_point(device: Device) -> Json:
    return {"type": "tile", "entity": device["wireless_clients"], "name": device.name}


def _section(heading: str, icon: str, *cards: Json) -> Json:
    title = {"type": "heading", "heading": heading, "icon": icon}
    return {"type": "grid", "cards": [title, *cards]}
