"""The integration's devices and entities, read from Home Assistant's registries."""

from dataclasses import dataclass

from .home_assistant import HomeAssistant, Json
from .process import DemoError

DOMAIN = "unifi_scanner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A device, with the ids of its enabled entities by translation key."""

    id: str
    name: str
    entities: dict[str, str]

    def __getitem__(self, key: str) -> str:
        """Return the entity id for a translation key."""
        return self.entities[key]


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """The site, access points and clients; the lights' entity ids by area name."""

    site: Device
    access_points: list[Device]
    clients: list[Device]
    lights: dict[str, str]


async def registry(hass: HomeAssistant) -> Registry:
    """Read the registries; devices are sorted by name."""
    entities: dict[str, dict[str, str]] = {}
    lights: dict[str, str] = {}
    for entry in await hass.command("config/entity_registry/list"):
        if entry["platform"] == "template":
            lights[entry["unique_id"]] = entry["entity_id"]
        if entry["platform"] == DOMAIN and not entry["disabled_by"]:
            of_device = entities.setdefault(entry["device_id"], {})
            of_device[entry["translation_key"]] = entry["entity_id"]
    listed: list[Json] = await hass.command("config/device_registry/list")
    devices = sorted(
        (
            Device(id=entry["id"], name=entry["name"], entities=entities[entry["id"]])
            for entry in listed
            if entry["id"] in entities
        ),
        key=lambda device: device.name,
    )
    sites = [device for device in devices if "event_stream" in device.entities]
    if len(sites) != 1:
        raise DemoError(f"expected one site device, found {len(sites)}")
    return Registry(
        site=sites[0],
        access_points=[
            device
            for device in devices
            if "wireless_clients" in device.entities and device not in sites
        ],
        clients=[device for device in devices if "access_point" in device.entities],
        lights=lights,
    )
