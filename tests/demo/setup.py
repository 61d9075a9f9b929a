"""Set-up steps that a user would click through: the config flow and the areas."""

import asyncio
from collections.abc import Callable, Mapping

from .home_assistant import HomeAssistant, Json
from .process import DemoError
from .registry import DOMAIN, registry


async def add_integration(
    hass: HomeAssistant, answers: Mapping[str, Json], say: Callable[[str], None]
) -> None:
    """Go through the config flow with `answers` by step, and defaults for all other fields."""
    path = "/api/config/config_entries/flow"
    form = await hass.post(path, {"handler": DOMAIN})
    while form["type"] == "form":
        if form.get("errors"):
            raise DemoError(f"config flow step {form['step_id']} failed: {form['errors']}")
        given = _defaults(form) | answers.get(form["step_id"], {})
        say(_summary(form, given))
        form = await hass.post(f"{path}/{form['flow_id']}", given)
    if form["type"] != "create_entry":
        raise DemoError(f"the config flow ended with {form.get('reason', form['type'])}")
    await _wait_until_loaded(hass)


def _defaults(form: Json) -> Json:
    fields: list[Json] = form.get("data_schema") or []
    return {field["name"]: field["default"] for field in fields if "default" in field}


def _summary(form: Json, given: Json) -> str:
    shown = {key: value for key, value in given.items() if key != "password"}
    if fingerprint := (form.get("description_placeholders") or {}).get("fingerprint"):
        shown["fingerprint"] = fingerprint
    values = ", ".join(f"{key} {_short(value)}" for key, value in shown.items())
    return f"step {form['step_id']}: {values}"


def _short(value: object) -> str:
    return f"({len(value)})" if isinstance(value, list) else str(value)


async def _wait_until_loaded(hass: HomeAssistant) -> None:
    while True:
        [entry] = await hass.get(f"/api/config/config_entries/entry?domain={DOMAIN}")
        if entry["state"] == "loaded":
            return
        if entry["state"] != "setup_in_progress":
            raise DemoError(f"the integration is in state {entry['state']}: {entry['reason']}")
        await asyncio.sleep(0.1)


async def assign_areas(hass: HomeAssistant) -> list[str]:
    """Assign access points and lights to areas, turn the lights off; return the area names."""
    areas = await hass.command("config/area_registry/list")
    # A new Home Assistant already has some areas.
    ids = {area["name"].casefold(): area["area_id"] for area in areas}
    listed = await registry(hass)
    for device in listed.access_points:
        if (name := device.name.casefold()) not in ids:
            area = await hass.command("config/area_registry/create", name=device.name)
            ids[name] = area["area_id"]
        in_area = {"area_id": ids[name]}
        await hass.command("config/device_registry/update", device_id=device.id, **in_area)
        light = listed.lights[device.name]
        await hass.command("config/entity_registry/update", entity_id=light, **in_area)
    every_light = {"entity_id": list(listed.lights.values())}
    switch = {"domain": "light", "service": "turn_off", "target": every_light}
    await hass.command("call_service", **switch)
    return [device.name for device in listed.access_points]
