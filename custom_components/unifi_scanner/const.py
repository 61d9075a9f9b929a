"""Names that the configuration of UniFi Scanner is made of."""

from typing import Final

from .api.records import Band

DOMAIN: Final = "unifi_scanner"
DOCUMENTATION: Final = "https://github.com/unifi-scanner/unifi-scanner"

# Data of a config entry, beside Home Assistant's own host, url, username, password and ssl.
CONF_CERTIFICATE: Final = "certificate"
CONF_SITE: Final = "site"

# Options of a config entry.
CONF_ADD_NEW_CLIENTS: Final = "add_new_clients"
CONF_CLIENTS: Final = "clients"
CONF_DISCONNECT_DELAY: Final = "disconnect_delay"
CONF_LOW_DATA: Final = "low_data"
CONF_SETTLING_TIME: Final = "settling_time"
CONF_TRACKED_EVENTS_ONLY: Final = "tracked_events_only"
CONF_VOLATILE_INTERVAL: Final = "volatile_interval"

DEFAULT_DISCONNECT_DELAY: Final = 10.0  # seconds
DEFAULT_SETTLING_TIME: Final = 10.0  # seconds
DEFAULT_VOLATILE_INTERVAL: Final = 30.0  # seconds

# Translation keys of states must not contain a dot.
BAND_STATES: Final[dict[Band, str]] = {"2.4": "2_4_ghz", "5": "5_ghz", "6": "6_ghz"}
