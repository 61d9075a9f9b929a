"""Actions: get a client's roam history, reconnect a client, export the recorder's capture."""

from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_USERNAME
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import (
    HomeAssistantError,
    ServiceValidationError,
    Unauthorized,
    UnknownUser,
)
from homeassistant.helpers import config_validation as cv, service
from homeassistant.helpers.device_registry import DeviceEntry
from homeassistant.helpers.json import save_json
from homeassistant.util import dt as dt_util
from homeassistant.util.file import WriteError
import probatio

from .api.errors import ClientNotConnectedError, NotPermittedError, UnifiError
from .const import DOMAIN
from .coordinator import UnifiScannerConfigEntry, UnifiScannerCoordinator
from .hub.errors import error_translation
from .roaming import ClientEvent
from .site.devices import CLIENT_SENSOR_KEY, DeviceKind, device_kind, mac_of, sensor_id
from .site.publisher import CLIENT_KEYS, event_data
from .site.roam_log import CLIENT_LIMIT

CONF_CLIENT: Final = "client"
CONF_CONFIG_ENTRY: Final = "config_entry"
CONF_LIMIT: Final = "limit"
CONF_PERIOD: Final = "period"

# Every export is kept on disk, and an automation may run it often.
MAX_CAPTURE_FILES = 5

_CLIENT = {probatio.Required(CONF_CLIENT): cv.string}


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions."""
    service.async_register_admin_service(
        hass,
        DOMAIN,
        "export_capture",
        _async_export_capture,
        schema=probatio.Schema({probatio.Required(CONF_CONFIG_ENTRY): cv.string}),
        supports_response=SupportsResponse.OPTIONAL,
    )
    hass.services.async_register(
        DOMAIN,
        "get_roam_history",
        _async_get_roam_history,
        schema=probatio.Schema(
            {
                **_CLIENT,
                probatio.Optional(CONF_PERIOD, default=timedelta(days=1)): cv.positive_time_period,
                probatio.Optional(CONF_LIMIT, default=50): probatio.All(
                    probatio.Coerce(int), probatio.Range(min=1, max=CLIENT_LIMIT)
                ),
            }
        ),
        supports_response=SupportsResponse.ONLY,
    )
    service.async_register_admin_service(
        hass,
        DOMAIN,
        "reconnect_client",
        _async_reconnect_client,
        schema=probatio.Schema(_CLIENT),
    )


async def _async_get_roam_history(call: ServiceCall) -> ServiceResponse:
    entry, device, mac = _async_find_client(call)
    await _async_check_read_permission(call, entry, mac)
    coordinator = entry.runtime_data
    now = coordinator.tracker.controller_time(call.hass.loop.time())
    since = now - call.data[CONF_PERIOD].total_seconds()
    roams = coordinator.roam_log.roams(mac, since)[: call.data[CONF_LIMIT]]
    return {
        "client": {"mac": mac, "name": _name(coordinator, device, mac), "device_id": device.id},
        "roams": [_roam(coordinator, event) for event in roams],
    }


async def _async_reconnect_client(call: ServiceCall) -> None:
    entry, device, mac = _async_find_client(call)
    coordinator = entry.runtime_data
    not_connected = ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key="client_not_connected",
        translation_placeholders={"client": _name(coordinator, device, mac)},
    )
    if coordinator.available and coordinator.access_point_of(mac) is None:
        raise not_connected
    try:
        await coordinator.session.async_call(
            lambda client: client.reconnect_client(coordinator.site, mac), caller=entry.entry_id
        )
    except ClientNotConnectedError as err:
        raise not_connected from err
    except NotPermittedError as err:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="not_permitted",
            translation_placeholders={"username": entry.data[CONF_USERNAME]},
        ) from err
    except UnifiError as err:
        key, placeholders = error_translation(err, entry.data)
        raise HomeAssistantError(
            translation_domain=DOMAIN, translation_key=key, translation_placeholders=placeholders
        ) from err


async def _async_export_capture(call: ServiceCall) -> ServiceResponse:
    entry: UnifiScannerConfigEntry = service.async_get_config_entry(
        call.hass, DOMAIN, call.data[CONF_CONFIG_ENTRY]
    )
    capture = entry.runtime_data.recorder.export()
    folder = Path(call.hass.config.path(DOMAIN))
    try:
        file = await call.hass.async_add_executor_job(write_capture, folder, capture)
    except (OSError, WriteError) as err:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="capture_not_written",
            translation_placeholders={"error": str(err)},
        ) from err
    return {
        "path": str(file),
        "entries": len(capture["entries"]),
        "events": len(capture["events"]),
    }


@callback
def _async_find_client(call: ServiceCall) -> tuple[UnifiScannerConfigEntry, DeviceEntry, str]:
    """Return the loaded entry, the device and the MAC of the selected client.

    Raises ServiceValidationError for any other device.
    """
    entry: UnifiScannerConfigEntry
    device, entry = service.async_get_device_and_config_entry(
        call.hass, DOMAIN, call.data[CONF_CLIENT], include_child_devices=False
    )
    mac = mac_of(entry, device)
    if mac is None or device_kind(call.hass, entry, device) is not DeviceKind.CLIENT:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="not_a_client",
            translation_placeholders={"device": device.name_by_user or device.name or device.id},
        )
    return entry, device, mac


async def _async_check_read_permission(call: ServiceCall, entry: ConfigEntry, mac: str) -> None:
    """Raise Unauthorized unless the user may read the client's access point sensor.

    Calls without a user, as from automations, may read everything.
    """
    user_id = call.context.user_id
    if user_id is None:
        return
    user = await call.hass.auth.async_get_user(user_id)
    if user is None:
        raise UnknownUser(context=call.context, permission=POLICY_READ, user_id=user_id)
    if user.permissions.access_all_entities(POLICY_READ):
        return
    entity_id = sensor_id(call.hass, entry, mac, CLIENT_SENSOR_KEY)
    if entity_id is None or not user.permissions.check_entity(entity_id, POLICY_READ):
        raise Unauthorized(context=call.context, entity_id=entity_id, permission=POLICY_READ)


def _name(coordinator: UnifiScannerCoordinator, device: DeviceEntry, mac: str) -> str:
    """Return a client's UniFi name, as in events."""
    state = coordinator.client(mac)
    return state.name if state else device.name or mac


def _roam(coordinator: UnifiScannerCoordinator, event: ClientEvent) -> dict[str, Any]:
    """Return a roam as on the event bus, without the client, with current names and areas."""
    data = event_data(
        event,
        entry_id=coordinator.config_entry.entry_id,
        site=coordinator.site,
        device_id=None,
        origin=coordinator.devices.location(event.ap_from),
        destination=coordinator.devices.location(event.ap_to),
    )
    return {
        "kind": event.kind.value,
        **{key: value for key, value in data.items() if key not in CLIENT_KEYS},
    }


def write_capture(folder: Path, capture: dict[str, Any]) -> Path:
    """Write a capture into a folder, which is created if missing; return the file.

    Only the newest captures are kept. Blocking; raises OSError or WriteError.
    """
    # Fixed width, so that the names sort by time.
    file = folder / f"capture_{dt_util.utcnow():%Y-%m-%dT%H-%M-%S-%f}Z.json"
    folder.mkdir(parents=True, exist_ok=True)
    save_json(str(file), capture)
    others = sorted(other for other in folder.glob("capture_*.json") if other != file)
    for outdated in others[: -(MAX_CAPTURE_FILES - 1)]:
        outdated.unlink(missing_ok=True)
    return file
