"""Which controller an entry is for."""

from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_URL
from yarl import URL

from ..const import CONF_CONTROLLER_ID, CONF_SITE


def controller_id_of(entry: ConfigEntry) -> str | None:
    """Return the id of an entry's controller, None for one that is only known by its address."""
    if CONF_CONTROLLER_ID in entry.data:
        controller_id: str | None = entry.data[CONF_CONTROLLER_ID]
        return controller_id
    # Entries of earlier releases have it, or else their first host, in their unique id.
    known = f"{entry.unique_id}".removesuffix(f"_{entry.data[CONF_SITE]}")
    is_host = known == URL(entry.data[CONF_URL]).host or "." in known or ":" in known
    return None if is_host else known


def has_same_controller(entry: ConfigEntry, other: ConfigEntry) -> bool:
    """Return whether two entries are for sites of one controller."""
    return is_for_controller(entry, controller_id_of(other), other.data[CONF_URL])


def is_for_controller(entry: ConfigEntry, controller_id: str | None, url: str) -> bool:
    """Return whether an entry is for a controller, which has an id or only an address."""
    known = controller_id_of(entry)
    if known is not None and controller_id is not None:
        return known == controller_id
    return URL(entry.data[CONF_URL]).origin() == URL(url).origin()


def with_controller_id(entry: ConfigEntry) -> dict[str, Any]:
    """Return the data of an entry of an earlier release, completed by the controller's id."""
    return {**entry.data, CONF_CONTROLLER_ID: controller_id_of(entry)}
