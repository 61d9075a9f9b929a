"""Replay of a capture through the whole integration, in a Home Assistant of its own."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from unittest.mock import patch

from homeassistant.core import Event, HomeAssistant, callback
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.unifi_scanner.const import DOMAIN
from custom_components.unifi_scanner.coordinator import UnifiScannerCoordinator
from custom_components.unifi_scanner.hub.snapshot import Snapshot
from custom_components.unifi_scanner.site.publisher import EVENT_TYPES
from tests.controller import SimulatedController
from tests.instance import entry_data, home_assistant

from .capture import Capture, Json, Step

_KINDS = {event_type: kind.value for kind, event_type in EVENT_TYPES.items()}


class _Player:
    """Replays a capture through a coordinator, in place of its controller."""

    def __init__(self, coordinator: UnifiScannerCoordinator, capture: Capture) -> None:
        """Start without patching anything."""
        self._coordinator = coordinator
        self._capture = capture
        self._now = 0.0
        self._snapshot = Snapshot(devices=capture.devices, stations=(), log=())

    @contextmanager
    def patched(self) -> Iterator[None]:
        """Make the coordinator use the capture's times, snapshots and timers."""
        coordinator = self._coordinator
        with (
            patch.object(coordinator, "_clock", lambda: self._now),
            patch.object(coordinator._snapshots, "async_read", self._read),
            patch.object(coordinator, "_async_request_snapshot", lambda: None),
            patch.object(coordinator._timers, "async_set", lambda *_: None),
        ):
            yield

    async def play(self, step: Step) -> None:
        """Give the coordinator one input of the capture."""
        coordinator = self._coordinator
        self._now = step.at
        match step.action:
            case "observe":
                coordinator._async_process_batch(step.batch)
            case "log":
                before = coordinator._async_states(step.rows)
                events = coordinator.tracker.process_log(step.rows, step.until, step.at)
                coordinator._async_apply_observations(events, before)
            case "snapshot":
                self._snapshot = Snapshot(
                    devices=self._capture.devices, stations=step.stations, log=()
                )
                await coordinator.async_refresh()
            case "advance":
                coordinator._async_release_due()
            case "doubt":
                coordinator._async_handle_refusal()

    async def _read(self) -> Snapshot:
        return self._snapshot


def play(capture: Capture) -> list[Json]:
    """Return the events on Home Assistant's bus, with the keys of a capture's events."""
    return asyncio.run(_play(capture))


def as_bus_event(event: Json) -> Json:
    """Return an event of a capture as `play` returns it."""
    ssid = (event["link_to"] or event["link_from"])["ssid"]
    links = {
        link: event[link] and {**event[link], "ssid": ssid} for link in ("link_from", "link_to")
    }
    return {**event, **links, "time": _milliseconds(event["time"])}


async def _play(capture: Capture) -> list[Json]:
    async with home_assistant() as hass, SimulatedController() as unifi:
        return await _play_in(hass, unifi, capture)


async def _play_in(
    hass: HomeAssistant, controller: SimulatedController, capture: Capture
) -> list[Json]:
    entry = _entry(controller, capture)
    entry.add_to_hass(hass)
    if not await hass.config_entries.async_setup(entry.entry_id):
        raise RuntimeError(f"The entry could not be set up: {entry.reason}")
    await hass.async_block_till_done()
    coordinator: UnifiScannerCoordinator = entry.runtime_data
    events: list[Json] = []

    @callback
    def append(event: Event) -> None:
        events.append(_from_bus(str(event.event_type), event.data))

    for event_type in EVENT_TYPES.values():
        hass.bus.async_listen(event_type, append)
    player = _Player(coordinator, capture)
    with player.patched():
        await coordinator.stream.async_stop()
        await hass.async_block_till_done()
        coordinator.tracker.restore(capture.state, capture.clients)
        for step in capture.steps:
            await player.play(step)
            await hass.async_block_till_done()
    await hass.config_entries.async_unload(entry.entry_id)
    return events


def _from_bus(event_type: str, data: Mapping[str, object]) -> Json:
    time = datetime.fromisoformat(str(data["time"])).timestamp()
    return {
        "kind": _KINDS[event_type],
        "mac": data["client_mac"],
        "name": data["client_name"],
        "time": _milliseconds(time),
        **{key: data[key] for key in ("guest", "signal", "source", "inferred", "roam_gap", "late")},
        **{f"link_{end}": _link(data, end) for end in ("from", "to")},
    }


def _link(data: Mapping[str, object], end: str) -> Json | None:
    """Return one end of a bus event, which has one SSID for both."""
    if data[f"ap_{end}_mac"] is None:
        return None
    return {
        "ap_mac": data[f"ap_{end}_mac"],
        "band": data[f"band_{end}"],
        "channel": data[f"channel_{end}"],
        "ssid": data["ssid"],
    }


def _milliseconds(time: float) -> float:
    """Return a time with the precision of bus events."""
    return round(time, 3)


def _entry(controller: SimulatedController, capture: Capture) -> MockConfigEntry:
    clients = {event["mac"] for event in capture.events}
    return MockConfigEntry(
        domain=DOMAIN,
        title="Replay",
        unique_id="replay_default",
        data=entry_data(controller),
        options={
            "clients": sorted(clients),
            "disconnect_delay": capture.disconnect_delay,
        },
    )
