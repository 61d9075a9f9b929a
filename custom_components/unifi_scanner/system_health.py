"""The integration's section of the system information page."""

import asyncio
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from math import ceil
import time
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
from .hub.login_budget import LOCKED_FOR, LoginBudgetError

type Value = str | float | bool | datetime


@callback
def async_register(_hass: HomeAssistant, register: system_health.SystemHealthRegistration) -> None:
    """Register the callback that supplies the section."""
    register.async_register_info(async_system_health_info)


async def async_system_health_info(hass: HomeAssistant) -> dict[str, Any]:
    """Return the section's values by translation key; with several sites a value lists them all."""
    entries = hass.config_entries.async_entries(
        DOMAIN, include_ignore=False, include_disabled=False
    )
    info: dict[str, Any] = {}
    if entries:
        info["can_reach_controller"] = _async_try_controllers(hass, entries)
    loaded: list[UnifiScannerConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    for key, value_fn in _VALUES.items() if loaded else ():
        info[key] = _combined([(entry.title, value_fn(entry.runtime_data)) for entry in loaded])
    return info


def _time_or_never(time: datetime | None) -> Value:
    return "never" if time is None else time


def _lag(coordinator: UnifiScannerCoordinator) -> Value:
    if (latency := coordinator.stream.latency) is None:
        return "unknown"
    # The latency is the difference of a time on our clock and one on the controller's.
    ahead = coordinator.tracker.controller_time(coordinator.hass.loop.time()) - time.time()
    return round(max(0.0, latency + ahead), 1)


def _login_wait(coordinator: UnifiScannerCoordinator) -> Value:
    if (error := coordinator.session.login_wait) is None:
        return "none"
    imposed_by = "Home Assistant" if isinstance(error, LoginBudgetError) else "the controller"
    return f"{ceil(error.retry_after or LOCKED_FOR)} s, imposed by {imposed_by}"


_VALUES: Mapping[str, Callable[[UnifiScannerCoordinator], Value]] = {
    "event_stream": lambda coordinator: coordinator.stream_connected,
    "snapshots": lambda coordinator: coordinator.last_update_success,
    "last_event": lambda coordinator: _time_or_never(coordinator.stream.last_event),
    "last_sync": lambda coordinator: _time_or_never(coordinator.stream.last_sync),
    "system_log": lambda coordinator: (
        "not needed yet" if coordinator.has_log is None else coordinator.has_log
    ),
    "lag": _lag,
    "login_wait": _login_wait,
    "controller_version": lambda coordinator: coordinator.system_info.version or "unknown",
}


def _combined(values: Sequence[tuple[str, Value]]) -> Value:
    if len(values) == 1:
        return values[0][1]
    return "; ".join(f"{title}: {_text(value)}" for title, value in values)


def _text(value: Value) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


async def _async_try_controllers(
    hass: HomeAssistant, entries: Sequence[ConfigEntry]
) -> str | dict[str, str]:
    """Return whether all controllers answer, trying one config entry of each."""
    tried = list({entry.data[CONF_URL]: entry for entry in entries}.values())
    errors = await asyncio.gather(*(_async_try(hass, entry) for entry in tried))
    failures = [(entry.title, error) for entry, error in zip(tried, errors, strict=True) if error]
    if not failures:
        return "ok"
    return {"type": "failed", "error": str(_combined(failures))}


async def _async_try(hass: HomeAssistant, entry: ConfigEntry) -> str | None:
    """Return the translation key of the error that a controller causes, None if it answers.

    Sends no credentials.
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
