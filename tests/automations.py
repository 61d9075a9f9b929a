"""Automations as the editor makes them, and what they saw when they ran."""

from typing import Any

from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers import area_registry as ar, device_registry as dr
from homeassistant.setup import async_setup_component

from tests.home import Home

_RAN = "test_automation_ran"


class Automations:
    """Automations by name; `runs` tells which ran, in order, each with its `trigger`."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Watch from now on."""
        self._hass = hass
        self.runs: list[tuple[str, dict[str, Any]]] = []
        hass.bus.async_listen(_RAN, self._remember)

    @callback
    def _remember(self, event: Event) -> None:
        self.runs.append((event.data["name"], event.data["trigger"]))

    async def set_up(self, **triggers: dict[str, Any]) -> None:
        """Make an automation of each of these triggers."""
        made = [self._made(name, triggers=[trigger]) for name, trigger in triggers.items()]
        await self._set_up(made)

    async def set_up_on(self, event_type: str, **conditions: dict[str, Any]) -> None:
        """Make automations which run on an event where their conditions are met."""
        trigger = {"trigger": "event", "event_type": event_type}
        made = [
            self._made(name, triggers=[trigger], conditions=[condition])
            for name, condition in conditions.items()
        ]
        await self._set_up(made)

    def _made(self, name: str, **parts: Any) -> dict[str, Any]:
        data = {"name": name, "trigger": "{{ trigger }}"}
        action = {"event": _RAN, "event_data": data}
        return {"id": name, "alias": name, "mode": "queued", "actions": [action], **parts}

    async def _set_up(self, automations: list[dict[str, Any]]) -> None:
        assert await async_setup_component(self._hass, "automation", {"automation": automations})
        await self._hass.async_block_till_done()
        states = [state.state for state in self._hass.states.async_all("automation")]
        assert states == ["on"] * len(automations)

    async def ran(self) -> list[str]:
        """Return the names of those that ran since the last time, sorted."""
        await self._hass.async_block_till_done()
        names = sorted(name for name, _ in self.runs)
        self.runs.clear()
        return names


def trigger(name: str, **options: Any) -> dict[str, Any]:
    """Return one of our triggers as the editor writes it."""
    return {"trigger": f"unifi_scanner.{name}", "options": options}


def condition(name: str, **options: Any) -> dict[str, Any]:
    """Return one of our conditions as the editor writes it."""
    return {"condition": f"unifi_scanner.{name}", "options": options}


def device_id(home: Home, mac: str | None = None) -> str:
    """Return the id of a client's or an access point's device, or of the controller's."""
    device = home.device(mac)
    assert device is not None
    return device.id


def put_in_area(home: Home, mac: str, name: str) -> str:
    """Put an access point's device into an area, made if need be; return the area's id."""
    area = ar.async_get(home.hass).async_get_or_create(name)
    dr.async_get(home.hass).async_update_device(device_id(home, mac), area_id=area.id)
    return area.id
