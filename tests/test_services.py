"""Actions, called as users and automations call them."""

from copy import replace
from datetime import UTC, datetime
import json
from pathlib import Path
import re
from typing import Any

from homeassistant.auth.models import User
from homeassistant.auth.permissions import PolicyPermissions
from homeassistant.auth.permissions.models import PermissionLookup
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import Context, HomeAssistant, SupportsResponse
from homeassistant.exceptions import (
    HomeAssistantError,
    ServiceValidationError,
    Unauthorized,
    UnknownUser,
)
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.service import async_get_all_descriptions
from homeassistant.setup import async_setup_component
import probatio
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.unifi_scanner.const import DOMAIN
from custom_components.unifi_scanner.services import MAX_CAPTURE_FILES
from tests.automations import device_id, put_in_area
from tests.controller import Band
from tests.home import ANNA, BEN, CARA, HALL, KITCHEN, Home, until

pytestmark = pytest.mark.usefixtures("socket_enabled")

RESPONSES = {
    "export_capture": SupportsResponse.OPTIONAL,
    "get_roam_history": SupportsResponse.ONLY,
    "reconnect_client": SupportsResponse.NONE,
}
COMMAND = "cmd/stamgr"


@pytest.fixture
def role() -> str:
    """Return the role of the account; tests may parametrize it."""
    return "admin"


@pytest.fixture
def controller_settings(role: str) -> dict[str, Any]:
    return {"kicked_seconds": 0.01, "role": role}


@pytest.fixture
async def home(home: Home) -> Home:
    await home.set_up(clients=(ANNA, BEN, CARA), disconnect_delay=0.05)
    return home


async def act(
    home: Home, action: str, *, user_id: str | None = None, **data: Any
) -> dict[str, Any]:
    """Perform an action, as an automation or as a user; return its response."""
    response = RESPONSES[action] is not SupportsResponse.NONE
    answer: dict[str, Any] | None = await home.hass.services.async_call(
        DOMAIN,
        action,
        data,
        blocking=True,
        context=Context(user_id=user_id),
        return_response=response,
    )
    return answer or {}


async def refused(home: Home, action: str, **data: Any) -> HomeAssistantError:
    """Perform an action that fails; return its exception."""
    with pytest.raises(HomeAssistantError) as caught:
        await act(home, action, **data)
    return caught.value


# All actions


async def test_actions_exist_without_a_config_entry(hass: HomeAssistant) -> None:
    assert await async_setup_component(hass, DOMAIN, {})
    for action, response in RESPONSES.items():
        assert hass.services.supports_response(DOMAIN, action) is response
    described = (await async_get_all_descriptions(hass))[DOMAIN]
    assert described.keys() == RESPONSES.keys()
    assert all(described[action]["fields"] for action in RESPONSES)


@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("get_roam_history", {}),
        ("get_roam_history", {"client": "x", "limit": 0}),
        ("get_roam_history", {"client": "x", "limit": 201}),
        ("get_roam_history", {"client": "x", "period": {"hours": -1}}),
        ("get_roam_history", {"client": "x", "since": "yesterday"}),
        ("reconnect_client", {}),
        ("export_capture", {}),
    ],
)
async def test_actions_reject_invalid_data(
    hass: HomeAssistant, action: str, data: dict[str, Any]
) -> None:
    assert await async_setup_component(hass, DOMAIN, {})
    with pytest.raises(probatio.Invalid):
        await hass.services.async_call(
            DOMAIN,
            action,
            data,
            blocking=True,
            return_response=RESPONSES[action] is not SupportsResponse.NONE,
        )


@pytest.mark.parametrize("action", ["get_roam_history", "reconnect_client"])
async def test_actions_reject_devices_that_are_not_clients(home: Home, action: str) -> None:
    for mac in (HALL, None):
        error = await refused(home, action, client=device_id(home, mac))
        assert isinstance(error, ServiceValidationError)
        assert (error.translation_domain, error.translation_key) == (DOMAIN, "not_a_client")
    stranger = MockConfigEntry(domain="stranger")
    stranger.add_to_hass(home.hass)
    other = dr.async_get(home.hass).async_get_or_create(
        config_entry_id=stranger.entry_id, identifiers={("stranger", "1")}, name="Stranger"
    )
    for client, key in (
        (other.id, "service_device_wrong_domain"),
        ("nothing", "service_device_not_found"),
    ):
        error = await refused(home, action, client=client)
        assert isinstance(error, ServiceValidationError)
        assert error.translation_key == key


async def test_actions_are_rejected_while_the_entry_is_not_loaded(home: Home) -> None:
    anna, entry_id = device_id(home, ANNA), home.entry.entry_id
    await home.quiet()
    await home.hass.config_entries.async_unload(entry_id)
    for action, data in (
        ("get_roam_history", {"client": anna}),
        ("reconnect_client", {"client": anna}),
        ("export_capture", {"config_entry": entry_id}),
    ):
        error = await refused(home, action, **data)
        assert isinstance(error, ServiceValidationError)
        assert error.translation_key == "service_config_entry_not_loaded"
    assert home.controller.requests(COMMAND) == []


# Permissions


def data_of(home: Home, action: str) -> dict[str, str]:
    """Return valid data for an action."""
    if action == "export_capture":
        return {"config_entry": home.entry.entry_id}
    return {"client": device_id(home, ANNA)}


def reader_of(home: Home, entity_ids: list[str]) -> User:
    """Return a user who may only read these entities."""
    registries = PermissionLookup(er.async_get(home.hass), dr.async_get(home.hass))
    policy = {"entities": {"entity_ids": {entity_id: {"read": True} for entity_id in entity_ids}}}
    user = MockUser().add_to_hass(home.hass)
    user.permissions = PolicyPermissions(policy, registries)
    return user


@pytest.mark.parametrize("action", ["reconnect_client", "export_capture"])
async def test_actions_that_change_or_export_something_are_only_for_administrators(
    home: Home, hass_admin_user: User, hass_read_only_user: User, config: Path, action: str
) -> None:
    data = data_of(home, action)
    with pytest.raises(Unauthorized):
        await act(home, action, user_id=hass_read_only_user.id, **data)
    assert home.controller.requests(COMMAND) == []
    assert not (config / DOMAIN).exists()

    await act(home, action, user_id=hass_admin_user.id, **data)
    if action == "export_capture":
        assert len(list((config / DOMAIN).iterdir())) == 1
    else:
        assert len(home.controller.requests(COMMAND)) == 1


async def test_get_roam_history_is_for_users_who_may_read_the_clients_access_point_sensor(
    home: Home, hass_admin_user: User, hass_read_only_user: User
) -> None:
    registry = er.async_get(home.hass)
    sensors: dict[str, str] = {}
    for mac in (ANNA, BEN):
        unique_id = f"{home.entry.unique_id}_{mac}_access_point"
        found = registry.async_get_entity_id("sensor", DOMAIN, unique_id)
        assert found is not None
        sensors[mac] = registry.async_update_entity(
            found, new_entity_id=f"{found}_renamed"
        ).entity_id
    anna = device_id(home, ANNA)
    for user in (hass_admin_user, hass_read_only_user, reader_of(home, [sensors[ANNA]])):
        history = await act(home, "get_roam_history", user_id=user.id, client=anna)
        assert history["client"]["mac"] == ANNA
    for stranger in (reader_of(home, [sensors[BEN]]), reader_of(home, [])):
        with pytest.raises(Unauthorized) as caught:
            await act(home, "get_roam_history", user_id=stranger.id, client=anna)
        assert caught.value.entity_id == sensors[ANNA]


@pytest.mark.parametrize("action", RESPONSES)
async def test_actions_reject_a_user_who_has_been_removed(home: Home, action: str) -> None:
    with pytest.raises(UnknownUser):
        await act(home, action, user_id="removed", **data_of(home, action))
    assert home.controller.requests(COMMAND) == []


# Get roam history


async def test_get_roam_history_returns_roams_as_in_events(home: Home) -> None:
    hall, kitchen = put_in_area(home, HALL, "Downstairs"), put_in_area(home, KITCHEN, "Upstairs")
    await home.controller.roam("Anna", "Kitchen", signal=-61)
    await home.controller.roam("Ben", "Attic")
    await home.controller.roam_radio("Anna", Band.NG)
    await home.controller.disconnect("Anna")
    on_bus = [data for _, data in await home.happened(3) if data["client_mac"] == ANNA]

    anna = device_id(home, ANNA)
    history = await act(home, "get_roam_history", client=anna)
    assert history["client"] == {"mac": ANNA, "name": "Anna", "device_id": anna}
    change, roam = history["roams"]
    assert (change["kind"], roam["kind"]) == ("roam_radio", "roam")
    assert (change["band_from"], change["band_to"]) == ("5", "2.4")
    assert (roam["ap_from_name"], roam["ap_to_name"]) == ("Hall", "Kitchen")
    assert (roam["area_from"], roam["area_to"]) == (hall, kitchen)
    # Values are the same as on the bus, except those about the client.
    about_client = {"entry_id", "site", "client_mac", "client_name", "device_id", "guest"}
    for event, row in zip(on_bus, (roam, change), strict=True):
        assert row.keys() == {"kind", *(event.keys() - about_client)}
        assert all(event[key] == value for key, value in row.items() if key != "kind")
    assert json.dumps(history)


async def test_get_roam_history_returns_current_names_and_areas(home: Home) -> None:
    await home.controller.roam("Anna", "Kitchen")
    await home.happened(1)
    area = put_in_area(home, KITCHEN, "Cellar")
    home.world.access_point("Kitchen").name = "Bar"
    await home.controller.rename("Anna", "Annika")
    await home.coordinator.async_refresh()
    history = await act(home, "get_roam_history", client=device_id(home, ANNA))
    assert history["client"]["name"] == "Annika"
    (roam,) = history["roams"]
    assert (roam["ap_to_name"], roam["area_to"]) == ("Bar", area)


async def test_get_roam_history_is_empty_for_a_client_never_connected(home: Home) -> None:
    cara = device_id(home, CARA)
    history = await act(home, "get_roam_history", client=cara)
    assert history == {"client": {"mac": CARA, "name": CARA, "device_id": cara}, "roams": []}


async def test_get_roam_history_covers_a_day_by_default_and_respects_the_limit(
    home: Home,
) -> None:
    await home.controller.roam("Anna", "Kitchen")
    await home.happened(1)
    log = home.coordinator.roam_log
    (roam,) = log.roams(ANNA, 0)
    for hours in (1, 2, 23, 25):
        log.async_record(replace(roam, time=roam.time - hours * 3600))

    async def hours_ago(**data: Any) -> list[int]:
        history = await act(home, "get_roam_history", client=device_id(home, ANNA), **data)
        times = [datetime.fromisoformat(row["time"]).timestamp() for row in history["roams"]]
        return [round((roam.time - time) / 3600) for time in times]

    assert await hours_ago() == [0, 1, 2, 23]
    assert await hours_ago(period={"hours": 1, "minutes": 30}) == [0, 1]
    assert await hours_ago(period={"days": 7}) == [0, 1, 2, 23, 25]
    assert await hours_ago(limit=2.0) == [0, 1]


async def test_get_roam_history_measures_the_period_on_the_controllers_clock(home: Home) -> None:
    await home.controller.roam("Anna", "Kitchen")
    await home.happened(1)
    clock = home.coordinator.tracker._tracker._clock
    offset = clock._offset
    for ahead, expected in ((0.0, 1), (86_400.0, 0), (-86_400.0, 1)):
        clock._offset = offset - ahead
        history = await act(
            home, "get_roam_history", client=device_id(home, ANNA), period={"hours": 1}
        )
        assert len(history["roams"]) == expected


# Reconnect client


async def test_reconnect_client_makes_the_client_connect_again(home: Home) -> None:
    await act(home, "reconnect_client", client=device_id(home, ANNA))
    (request,) = home.controller.requests(COMMAND)
    assert request.status == 200
    assert request.headers["X-CSRF-Token"]
    await until(lambda: home.world.client(ANNA).connected)
    assert home.world.client(BEN).connected
    assert home.controller.logins == 1


async def test_reconnect_client_rejects_a_disconnected_client_without_a_request(home: Home) -> None:
    await home.controller.disconnect("Anna")
    await until(lambda: home.coordinator.access_point_of(ANNA) is None)
    error = await refused(home, "reconnect_client", client=device_id(home, ANNA))
    assert isinstance(error, ServiceValidationError)
    assert error.translation_key == "client_not_connected"
    assert error.translation_placeholders == {"client": "Anna"}
    assert home.controller.requests(COMMAND) == []


async def test_reconnect_client_reports_a_client_that_only_the_controller_lists_as_gone(
    home: Home,
) -> None:
    home.world.disconnect("Anna")
    error = await refused(home, "reconnect_client", client=device_id(home, ANNA))
    assert isinstance(error, ServiceValidationError)
    assert error.translation_key == "client_not_connected"


async def test_reconnect_client_sends_the_request_while_states_are_unavailable(home: Home) -> None:
    await home.controller.disconnect("Anna")
    await until(lambda: home.coordinator.access_point_of(ANNA) is None)
    home.world.connect("Anna", "Hall")
    home.coordinator.available = False
    await act(home, "reconnect_client", client=device_id(home, ANNA))
    assert len(home.controller.requests(COMMAND)) == 1


@pytest.mark.parametrize("role", ["readonly"])
async def test_reconnect_client_without_permission_is_reported_without_another_login(
    home: Home,
) -> None:
    for _ in range(5):
        error = await refused(home, "reconnect_client", client=device_id(home, ANNA))
        assert error.translation_key == "not_permitted"
        assert error.translation_placeholders == {"username": home.controller.username}
    assert not isinstance(error, ServiceValidationError)
    assert home.controller.logins == 1
    assert home.world.client(ANNA).connected


async def test_reconnect_client_without_permission_never_logs_in_for_an_ended_sessions_answer(
    home: Home,
) -> None:
    home.controller.faults.refuse(f"*{COMMAND}", status=403, body="Forbidden")
    for _ in range(5):
        error = await refused(home, "reconnect_client", client=device_id(home, ANNA))
        assert error.translation_key == "not_permitted"
    assert home.controller.login_attempts == 1


async def test_reconnect_client_renews_an_ended_session(home: Home) -> None:
    # The last login was long enough ago for the login budget.
    home.coordinator.session._account_logins._began -= 3600
    await home.controller.expire_sessions(cut=False)
    await act(home, "reconnect_client", client=device_id(home, ANNA))
    assert [request.status for request in home.controller.requests(COMMAND)] == [401, 200]
    assert home.controller.logins == 2


async def test_reconnect_client_respects_the_login_budget(home: Home) -> None:
    for _ in range(4):
        await home.controller.expire_sessions(cut=False)
        error = await refused(home, "reconnect_client", client=device_id(home, ANNA))
        assert error.translation_key == "login_budget"
    assert home.controller.login_attempts == 1


@pytest.mark.parametrize(
    ("status", "key"),
    [(429, "rate_limited"), (503, "controller_starting"), (200, "unexpected_answer")],
)
async def test_reconnect_client_translates_other_errors(home: Home, status: int, key: str) -> None:
    body = {"meta": {"rc": "error", "msg": "api.err.Other"}} if status == 200 else ""
    home.controller.faults.refuse(f"*{COMMAND}", status=status, body=body)
    error = await refused(home, "reconnect_client", client=device_id(home, ANNA))
    assert not isinstance(error, ServiceValidationError)
    assert (error.translation_domain, error.translation_key) == (DOMAIN, key)


# Export capture


@pytest.fixture
def config(home: Home, tmp_path: Path) -> Path:
    """Use a temporary configuration folder, and return it."""
    home.hass.config.config_dir = str(tmp_path)
    return tmp_path


async def export(home: Home) -> Path:
    answer = await act(home, "export_capture", config_entry=home.entry.entry_id)
    return Path(answer["path"])


async def test_export_capture_writes_the_capture_to_the_returned_path(
    home: Home, config: Path
) -> None:
    await home.controller.roam("Anna", "Kitchen")
    await home.happened(1)
    answer = await act(home, "export_capture", config_entry=home.entry.entry_id)
    file = config / DOMAIN / answer["path"].rpartition("/")[2]
    assert answer["path"] == str(file)
    assert re.fullmatch(r"capture_[0-9TZ-]+\.json", file.name)
    text = file.read_text()
    capture = json.loads(text)
    assert capture == json.loads(json.dumps(home.coordinator.recorder.export()))
    assert answer["entries"] == len(capture["entries"]) > 0
    assert answer["events"] == len(capture["events"]) > 0
    # The file is safe to publish.
    assert not any(word in text for word in ("Anna", "Kitchen", ANNA, KITCHEN))


async def test_export_capture_works_without_a_response(home: Home, config: Path) -> None:
    await home.hass.services.async_call(
        DOMAIN, "export_capture", {"config_entry": home.entry.entry_id}, blocking=True
    )
    assert len(list((config / DOMAIN).iterdir())) == 1


async def test_export_capture_keeps_the_newest_captures_and_other_files(
    home: Home, config: Path
) -> None:
    folder = config / DOMAIN
    folder.mkdir()
    others = [folder / "notes.txt", folder / "notes.json"]
    for other in others:
        other.write_text("mine")
    files = [await export(home) for _ in range(MAX_CAPTURE_FILES + 2)]
    assert set(folder.iterdir()) == {*others, *files[-MAX_CAPTURE_FILES:]}


async def test_export_capture_keeps_the_new_capture_after_the_clock_was_set_back(
    home: Home, config: Path
) -> None:
    folder = config / DOMAIN
    folder.mkdir()
    later = datetime.now(UTC).year + 10
    for number in range(MAX_CAPTURE_FILES):
        (folder / f"capture_{later}-0{number}.json").write_text("{}")
    file = await export(home)
    assert file.exists()
    assert len(list(folder.iterdir())) == MAX_CAPTURE_FILES


async def test_export_capture_reports_why_the_file_cannot_be_written(
    home: Home, config: Path
) -> None:
    (config / DOMAIN).write_text("a file where the folder should be")
    error = await refused(home, "export_capture", config_entry=home.entry.entry_id)
    assert error.translation_key == "capture_not_written"
    assert error.translation_placeholders is not None
    assert "exists" in error.translation_placeholders["error"]


async def test_export_capture_reports_a_full_disk(
    home: Home, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("homeassistant.util.file.tempfile.NamedTemporaryFile", full)
    error = await refused(home, "export_capture", config_entry=home.entry.entry_id)
    assert error.translation_key == "capture_not_written"
    assert "No space left" in str(error.translation_placeholders)
    assert list((config / DOMAIN).iterdir()) == []


@pytest.mark.parametrize("entry_id", ["nothing", "stranger"])
async def test_export_capture_rejects_other_config_entries(home: Home, entry_id: str) -> None:
    MockConfigEntry(domain="stranger", entry_id="stranger").add_to_hass(home.hass)
    error = await refused(home, "export_capture", config_entry=entry_id)
    assert isinstance(error, ServiceValidationError)
    assert home.entry.state is ConfigEntryState.LOADED
