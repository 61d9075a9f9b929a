"""The demo's configuration folder, with which Home Assistant starts fast and quietly."""

from datetime import UTC, datetime
import json
from pathlib import Path
from typing import Any

CONFIGURATION: dict[str, Any] = {
    "homeassistant": {
        "name": "Demo house",
        "latitude": 52.37,
        "longitude": 4.9,
        "elevation": 2,
        "unit_system": "metric",
        "time_zone": "Europe/Amsterdam",
        "country": "NL",
        "currency": "EUR",
        "language": "en",
    },
    "config": None,
    "history": None,
    "logbook": None,
    "recorder": {"commit_interval": 0},
    "logger": {
        "default": "warning",
        "logs": {
            "custom_components.unifi_scanner": "info",
            # Always loaded, these complain about missing binaries that the demo does not need.
            "haffmpeg": "critical",
            "homeassistant.components.camera.img_util": "critical",
        },
    },
}
# Home Assistant's editor can only save to included files.
INCLUDED: dict[str, Any] = {
    "automation": [
        {
            "id": "light_follows_anna",
            "alias": "The light follows Anna",
            "mode": "queued",
            "max": 50,
            "triggers": [
                {
                    "trigger": "event",
                    "event_type": [
                        "unifi_scanner_roam",
                        "unifi_scanner_connected",
                        "unifi_scanner_disconnected",
                    ],
                    "event_data": {"client_name": "Anna's phone", "late": False},
                }
            ],
            "actions": [
                {
                    "if": "{{ trigger.event.data.area_from is not none }}",
                    "then": {
                        "action": "light.turn_off",
                        "target": {"area_id": "{{ trigger.event.data.area_from }}"},
                    },
                },
                {
                    "if": "{{ trigger.event.data.area_to is not none }}",
                    "then": {
                        "action": "light.turn_on",
                        "target": {"area_id": "{{ trigger.event.data.area_to }}"},
                    },
                },
            ],
        }
    ],
    # One light per area; switching it only changes its state.
    "template": [
        {
            "light": [
                {"name": f"{room} light", "unique_id": room, "turn_on": [], "turn_off": []}
                for room in ("Bedroom", "Garden", "Hall", "Kitchen", "Living Room", "Office")
            ]
        }
    ],
}
DOMAINS = {*CONFIGURATION, *INCLUDED}


def write(folder: Path, port: int, integration: Path) -> None:
    """Write a configuration for 127.0.0.1:`port` into `folder`, and link the integration."""
    storage = folder / ".storage"
    storage.mkdir(parents=True)
    lines = []
    # YAML is a superset of JSON.
    for domain, content in CONFIGURATION.items():
        lines.append(f"{domain}: {json.dumps(content)}\n")
    for domain, content in INCLUDED.items():
        lines.append(f"{domain}: !include {domain}s.yaml\n")
        (folder / f"{domain}s.yaml").write_text(json.dumps(content, indent=2))
    (folder / "configuration.yaml").write_text("".join(lines))
    components = folder / "custom_components"
    components.mkdir()
    (components / integration.name).symlink_to(integration, target_is_directory=True)
    # Not in YAML: Home Assistant only accepts a port from there on probation.
    _seed(storage, "http", 3, {"stable": _http(port), "pending": None, "yaml_migration_done": True})
    # All steps but the owner's account, as they would set up weather, radio and analytics.
    _seed(storage, "onboarding", 4, {"done": ["core_config", "analytics", "integration"]})


def _http(port: int) -> dict[str, Any]:
    return {
        "server_host": ["127.0.0.1"],
        "server_port": port,
        "cors_allowed_origins": ["https://cast.home-assistant.io"],
        "login_attempts_threshold": -1,
        "ip_ban_enabled": True,
        "ssl_profile": "intermediate_v6",
        "use_x_frame_options": True,
        "created_at": datetime.now(UTC).isoformat(),
        "error": None,
        "error_message": None,
    }


def _seed(storage: Path, key: str, version: int, data: dict[str, Any]) -> None:
    store = {"version": version, "minor_version": 1, "key": key, "data": data}
    (storage / key).write_text(json.dumps(store))
