"""Diagnostics for bug reports: counters and the recorder's capture, without personal data."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from statistics import median
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.loader import async_get_integration

from .api.frames import FrameStatistics
from .capture.redaction import public_model, public_name, public_version
from .const import CONF_CLIENTS, DOMAIN, OPTION_DEFAULTS, option
from .coordinator import UnifiScannerConfigEntry, UnifiScannerCoordinator
from .hub.stream import SiteStream


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: UnifiScannerConfigEntry
) -> dict[str, Any]:
    """Return a site's diagnostics, reduced to the entry's if it is not loaded."""
    integration = await async_get_integration(hass, DOMAIN)
    diagnostics: dict[str, Any] = {
        "integration_version": str(integration.version),
        "state": entry.state.value,
        "options": {
            **{name: entry.options[name] for name in OPTION_DEFAULTS if name in entry.options},
            CONF_CLIENTS: len(option(entry, CONF_CLIENTS)),
        },
    }
    if entry.state is not ConfigEntryState.LOADED:
        return diagnostics
    coordinator = entry.runtime_data
    return {
        **diagnostics,
        "controller": _controller(coordinator),
        "sources": _sources(coordinator),
        "stream": _stream(coordinator.stream),
        "site": {
            "access_points": len(coordinator.access_points),
            "clients": len(coordinator.clients),
            "connected_clients": coordinator.tracker.connected_clients,
            "tracked_clients": len(coordinator.tracked),
        },
        "ignored_reports": dict(coordinator.tracker.counters),
        "capture": coordinator.recorder.export(),
    }


def _controller(coordinator: UnifiScannerCoordinator) -> dict[str, Any]:
    info, session = coordinator.system_info, coordinator.session
    return {
        "kind": session.client.device_type,
        "model": public_model(info.model),
        "network_version": public_version(info.version),
        "logins": session.logins,
        "session_contested": session.in_conflict,
    }


def _sources(coordinator: UnifiScannerCoordinator) -> dict[str, Any]:
    """Return which sources of information work."""
    stream = coordinator.stream
    return {
        "available": coordinator.available,
        "snapshots": coordinator.last_update_success,
        "stream": stream.connected,
        "last_event": _iso_time(stream.last_event),
        "last_sync": _iso_time(stream.last_sync),
        # None if it has not been requested, as there has been no gap in the stream.
        "system_log": coordinator.has_log,
        "truncated_gaps": coordinator.truncated_gaps,
    }


def _stream(stream: SiteStream) -> dict[str, Any]:
    if (client := stream.client) is None:
        return {}
    return {
        "state": client.state.value,
        "reconnects": max(0, client.connections - 1),
        "dropped_records": stream.dropped,
        "lag": _lag(stream.latencies),
        **_frames(client.statistics),
    }


def _frames(statistics: FrameStatistics) -> dict[str, Any]:
    return {
        "frames": statistics.frames,
        "bytes": statistics.bytes,
        "skipped": statistics.skipped,
        "unreadable": statistics.unreadable,
        "types": _public(statistics.types),
        "unused_event_keys": _public(statistics.unused_keys),
    }


def _public(counts: Mapping[str, int]) -> dict[str, int]:
    """Return counts by name, with those of names that may be private added up."""
    public: dict[str, int] = {}
    for name, count in counts.items():
        public[public_name(name)] = public.get(public_name(name), 0) + count
    return public


def _lag(latencies: Iterable[float]) -> dict[str, float] | None:
    """Return statistics of arrival latencies in seconds, including the clocks' difference."""
    if not (ordered := sorted(latencies)):
        return None
    return {
        "arrivals": len(ordered),
        "least": round(ordered[0], 3),
        "median": round(median(ordered), 3),
        "most": round(ordered[-1], 3),
    }


def _iso_time(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat(timespec="seconds")
