"""What a person would click: the config flow, the rooms, the dashboard."""

import asyncio
from collections.abc import Callable, Mapping

from .home_assistant import HomeAssistant, Json
from .process import DemoError
from .registry import DOMAIN, registry


async def add_integration(
    house: HomeAssistant, answers: Mapping[str, Json], say: Callable[[str], None]
) -> None:
    """Go through the config flow, with `answers` by step and the form's defaults beyond."""
    path = "/api/config/config_entries/flow"
    form = await house.post(path, {"handler": DOMAIN})
    while form["type"] == "form":
        if form.get("errors"):
            raise DemoError(f"the config flow's step {form['step_id']} says {form['errors']}")
        given = _defaults(form) | answers.get(form["step_id"], {})
        say(_told(form, given))
        form = await house.post(f"{path}/{form['flow_id']}", given)
    if form["type"] != "create_entry":
        raise DemoError(f"the config flow ended with {form.get('reason', form['type'])}")
    await _loaded(house)


def _defaults(form: Json) -> Json:
    fields: list[Json] = form.get("data_schema") or []
    return {field["name"]: field["default"] for field in fields if "default" in field}


def _told(form: Json, given: Json) -> str:
    shown = {key: value for key, value in given.items() if key != "password"}
    if fingerprint := (form.get("description_placeholders") or {}).get("fingerprint"):
        shown["fingerprint"] = fingerprint
    told = ", ".join(f"{key} {_short(value)}" for key, value in shown.items())
    return f"step {form['step_id']}: {told}"


def _short(value: object) -> str:
    return f"({len(value)})" if isinstance(value, list) else str(value)


async def _loaded(house: HomeAssistant) -> None:
    while True:
        [entry] = await house.get(f"/api/config/config_entries/entry?domain={DOMAIN}")
        if entry["state"] == "loaded":
            return
        if entry["state"] != "setup_in_progress":
            raise DemoError(f"the integration is in state {entry['state']}: {entry['reason']}")
        await asyncio.sleep(0.1)


async def furnish(house: HomeAssistant) -> list[str]:
    """Give each access point and light its room, switch the lights off; returns the rooms."""
    areas = await house.command("config/area_registry/list")
    # Every new Home Assistant has some rooms already.
    ids = {area["name"].casefold(): area["area_id"] for area in areas}
    listed = await registry(house)
    for device in listed.access_points:
        if (room := device.name.casefold()) not in ids:
            area = await house.command("config/area_registry/create", name=device.name)
            ids[room] = area["area_id"]
        in_room = {"area_id": ids[room]}
        await house.command("config/device_registry/update", device_id=device.id, **in_room)
        light = listed.lights[device.name]
        await house.command("config/entity_registry/update", entity_id=light, **in_room)
    every_light = {"entity_id": list(listed.lights.values())}
    switch = {"domain": "light", "service": "turn_off", "target": every_light}
    await house.command("call_service", **switch)
    return [device.name for device in listed.access_points]
