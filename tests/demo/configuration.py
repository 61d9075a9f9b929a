"""The demo's configuration folder: what a Home Assistant needs to start at once, and quietly."""

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
    "automation": [],
    "logger": {"default": "warning", "logs": {"custom_components.unifi_scanner": "info"}},
}


def write(folder: Path, port: int, integration: Path) -> None:
    """Fill `folder` for a first start on 127.0.0.1:`port` with the integration linked into it."""
    storage = folder / ".storage"
    storage.mkdir(parents=True)
    # YAML is a superset of JSON.
    (folder / "configuration.yaml").write_text(json.dumps(CONFIGURATION, indent=2))
    components = folder / "custom_components"
    components.mkdir()
    (components / integration.name).symlink_to(integration, target_is_directory=True)
    # The port can't come from YAML: Home Assistant takes it only on trial from there.
    _seed(storage, "http", 3, {"stable": _http(port), "pending": None, "yaml_migration_done": True})
    # All but the owner's account: the rest would set up weather, radio and analytics.
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
