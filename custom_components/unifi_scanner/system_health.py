"""What the page about Home Assistant's own health tells of UniFi Scanner."""

import asyncio
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from homeassistant.components import system_health
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_SSL, CONF_URL
from homeassistant.core import HomeAssistant, callback

from .api.client import UnifiClient
from .api.errors import UnifiError
from .api.tls import TlsMode
from .const import CONF_CERTIFICATE, DOMAIN
from .coordinator import UnifiScannerConfigEntry, UnifiScannerCoordinator
from .hub.connection import async_ssl_context, create_http_session
from .hub.errors import error_translation

type Value = str | float | bool | datetime


@callback
def async_register(_hass: HomeAssistant, register: system_health.SystemHealthRegistration) -> None:
    """Register what tells it."""
    register.async_register_info(async_system_health_info)


async def async_system_health_info(hass: HomeAssistant) -> dict[str, Any]:
    """Return the page's lines by their translation key; one of several sites names them all."""
    entries = hass.config_entries.async_entries(
        DOMAIN, include_ignore=False, include_disabled=False
    )
    lines: dict[str, Any] = {}
    if entries:
        lines["can_reach_controller"] = _async_try_controllers(hass, entries)
    loaded: list[UnifiScannerConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    for key, tell in _LINES.items() if loaded else ():
        lines[key] = _line([(entry.title, tell(entry.runtime_data)) for entry in loaded])
    return lines


def _moment(time: datetime | None) -> Value:
    return "never" if time is None else time


def _lag(site: UnifiScannerCoordinator) -> Value:
    if (delay := site.stream.delay) is None:
        return "unknown"
    # The controller's clock may be ahead of ours by as much as this adds.
    return round(max(0.0, site.tracker.controller_time(delay)), 1)


_LINES: Mapping[str, Callable[[UnifiScannerCoordinator], Value]] = {
    "event_stream": lambda site: site.stream_connected,
    "snapshots": lambda site: site.last_update_success,
    "last_event": lambda site: _moment(site.stream.last_event),
    "last_sync": lambda site: _moment(site.stream.last_sync),
    "system_log": lambda site: "not needed yet" if site.has_log is None else site.has_log,
    "lag": _lag,
    "controller_version": lambda site: site.system_info.version or "unknown",
}


def _line(values: Sequence[tuple[str, Value]]) -> Value:
    if len(values) == 1:
        return values[0][1]
    return "; ".join(f"{title}: {_word(value)}" for title, value in values)


def _word(value: Value) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


async def _async_try_controllers(
    hass: HomeAssistant, entries: Sequence[ConfigEntry]
) -> str | dict[str, str]:
    """Return whether all controllers answer; one entry of each is asked."""
    asked = list({entry.data[CONF_URL]: entry for entry in entries}.values())
    errors = await asyncio.gather(*(_async_try(hass, entry) for entry in asked))
    failures = [(entry.title, error) for entry, error in zip(asked, errors, strict=True) if error]
    if not failures:
        return "ok"
    return {"type": "failed", "error": str(_line(failures))}


async def _async_try(hass: HomeAssistant, entry: ConfigEntry) -> str | None:
    """Return why a controller does not answer as it should, None when it does.

    No credential is sent.
    """
    certificate = entry.data.get(CONF_CERTIFICATE)
    context = await async_ssl_context(
        hass, TlsMode(entry.data[CONF_SSL]), b64decode(certificate) if certificate else None
    )
    session = create_http_session(hass)
    try:
        await UnifiClient(session, entry.data[CONF_URL], context).detect()
    except UnifiError as error:
        return error_translation(error, entry.data)[0]
    finally:
        session.detach()
    return None
