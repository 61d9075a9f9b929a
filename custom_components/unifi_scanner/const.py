"""Constants of the integration: the keys of config entries and the defaults of their options."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry

from .api.records import Band

DOMAIN: Final = "unifi_scanner"
DOCUMENTATION: Final = "https://github.com/unifi-scanner/unifi-scanner"

# Data of a config entry, in addition to Home Assistant's own host, url, username, password and ssl.
CONF_CERTIFICATE: Final = "certificate"
CONF_CONTROLLER_ID: Final = "controller_id"
CONF_SITE: Final = "site"

# Options of a config entry.
CONF_ADD_NEW_CLIENTS: Final = "add_new_clients"
CONF_CLIENTS: Final = "clients"
CONF_DISCONNECT_DELAY: Final = "disconnect_delay"
CONF_LOW_DATA: Final = "low_data"
CONF_SETTLING_TIME: Final = "settling_time"
CONF_TRACKED_EVENTS_ONLY: Final = "tracked_events_only"
CONF_VOLATILE_INTERVAL: Final = "volatile_interval"

# Delays and intervals are in seconds.
OPTION_DEFAULTS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        CONF_CLIENTS: (),
        CONF_ADD_NEW_CLIENTS: False,
        CONF_TRACKED_EVENTS_ONLY: False,
        CONF_DISCONNECT_DELAY: 10.0,
        CONF_SETTLING_TIME: 10.0,
        CONF_VOLATILE_INTERVAL: 30.0,
        CONF_LOW_DATA: False,
    }
)

# Translation keys of states must not contain a dot.
BAND_STATES: Final[dict[Band, str]] = {"2.4": "2_4_ghz", "5": "5_ghz", "6": "6_ghz"}


def option(entry: ConfigEntry, name: str) -> Any:  # noqa: ANN401 - options differ in type
    """Return an option of a config entry, or its default if the entry does not have it."""
    return entry.options.get(name, OPTION_DEFAULTS[name])
