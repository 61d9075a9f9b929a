"""Automations as the editor saves them, and a record of their runs."""

from typing import Any

from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import area_registry as ar, device_registry as dr
from homeassistant.setup import async_setup_component

from tests.home import Home

_RAN = "test_automation_ran"


class Automations:
    """Sets up automations; `runs` lists the name and `trigger` variable of each run, in order."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Start recording runs."""
        self._hass = hass
        self.runs: list[tuple[str, dict[str, Any]]] = []
        hass.bus.async_listen(_RAN, self._record_run)

    @callback
    def _record_run(self, event: Event) -> None:
        self.runs.append((event.data["name"], event.data["trigger"]))

    async def set_up(self, **triggers: dict[str, Any]) -> None:
        """Set up one automation per trigger, by name."""
        automations = [
            self._automation(name, triggers=[trigger]) for name, trigger in triggers.items()
        ]
        await self._set_up(automations)

    async def set_up_on(self, event_type: str, **conditions: dict[str, Any]) -> None:
        """Set up one automation per condition, by name; all are triggered by the same event."""
        trigger = {"trigger": "event", "event_type": event_type}
        automations = [
            self._automation(name, triggers=[trigger], conditions=[condition])
            for name, condition in conditions.items()
        ]
        await self._set_up(automations)

    def _automation(self, name: str, **parts: Any) -> dict[str, Any]:
        data = {"name": name, "trigger": "{{ trigger }}"}
        action = {"event": _RAN, "event_data": data}
        return {"id": name, "alias": name, "mode": "queued", "actions": [action], **parts}

    async def _set_up(self, automations: list[dict[str, Any]]) -> None:
        assert await async_setup_component(self._hass, "automation", {"automation": automations})
        await self._hass.async_block_till_done()
        states = [state.state for state in self._hass.states.async_all("automation")]
        assert states == ["on"] * len(automations)

    async def ran(self) -> list[str]:
        """Return the names of the automations that ran since the last call, sorted."""
        await self._hass.async_block_till_done()
        names = sorted(name for name, _ in self.runs)
        self.runs.clear()
        return names


def trigger(name: str, **options: Any) -> dict[str, Any]:
    """Return the configuration of one of our triggers."""
    return {"trigger": f"unifi_scanner.{name}", "options": options}


def condition(name: str, **options: Any) -> dict[str, Any]:
    """Return the configuration of one of our conditions."""
    return {"condition": f"unifi_scanner.{name}", "options": options}


def device_id(home: Home, mac: str | None = None) -> str:
    """Return the device id of a client or access point, of the controller without a MAC."""
    device = home.device(mac)
    assert device is not None
    return device.id


def put_in_area(home: Home, mac: str, name: str) -> str:
    """Move an access point's device to an area, created if needed; return the area's id."""
    area = ar.async_get(home.hass).async_get_or_create(name)
    dr.async_get(home.hass).async_update_device(device_id(home, mac), area_id=area.id)
    return area.id
