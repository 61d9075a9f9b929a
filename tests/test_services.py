"""The actions, as people and automations call them."""

from copy import replace
from datetime import UTC, datetime
import json
from pathlib import Path
import re
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, SupportsResponse
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.service import async_get_all_descriptions
from homeassistant.setup import async_setup_component
import probatio
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

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
    """Return what the account may do; a test may parametrize it."""
    return "admin"


@pytest.fixture
def controller_settings(role: str) -> dict[str, Any]:
    return {"kicked_seconds": 0.01, "role": role}


@pytest.fixture
async def home(home: Home) -> Home:
    await home.set_up(clients=(ANNA, BEN, CARA), disconnect_delay=0.05)
    return home


async def act(home: Home, action: str, **data: Any) -> dict[str, Any]:
    """Perform an action; return what it answers."""
    response = RESPONSES[action] is not SupportsResponse.NONE
    answer: dict[str, Any] | None = await home.hass.services.async_call(
        DOMAIN, action, data, blocking=True, return_response=response
    )
    return answer or {}


async def refused(home: Home, action: str, **data: Any) -> HomeAssistantError:
    """Perform an action that fails; return why."""
    with pytest.raises(HomeAssistantError) as caught:
        await act(home, action, **data)
    return caught.value


# All of them


async def test_they_are_there_without_a_site(hass: HomeAssistant) -> None:
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
async def test_what_makes_no_sense_is_refused(
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
async def test_what_is_no_client_of_ours_is_refused(home: Home, action: str) -> None:
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


async def test_nothing_is_done_for_a_site_that_is_not_loaded(home: Home) -> None:
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


# Get roam history


async def test_a_history_tells_roams_as_events_do(home: Home) -> None:
    hall, kitchen = put_in_area(home, HALL, "Downstairs"), put_in_area(home, KITCHEN, "Upstairs")
    await home.controller.roam("Anna", "Kitchen", signal=-61)
    await home.controller.roam("Ben", "Attic")
    await home.controller.roam_radio("Anna", Band.NG)
    await home.controller.disconnect("Anna")
    told = [data for _, data in await home.happened(3) if data["client_mac"] == ANNA]

    anna = device_id(home, ANNA)
    history = await act(home, "get_roam_history", client=anna)
    assert history["client"] == {"mac": ANNA, "name": "Anna", "device_id": anna}
    change, roam = history["roams"]
    assert (change["kind"], roam["kind"]) == ("roam_radio", "roam")
    assert (change["band_from"], change["band_to"]) == ("5", "2.4")
    assert (roam["ap_from_name"], roam["ap_to_name"]) == ("Hall", "Kitchen")
    assert (roam["area_from"], roam["area_to"]) == (hall, kitchen)
    # In all they have in common it is word for word what stands on the bus.
    about_client = {"entry_id", "site", "client_mac", "client_name", "device_id", "guest"}
    for event, row in zip(told, (roam, change), strict=True):
        assert row.keys() == {"kind", *(event.keys() - about_client)}
        assert all(event[key] == value for key, value in row.items() if key != "kind")
    assert json.dumps(history)


async def test_a_history_tells_present_names_and_areas(home: Home) -> None:
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


async def test_a_client_that_was_never_seen_has_an_empty_history(home: Home) -> None:
    cara = device_id(home, CARA)
    history = await act(home, "get_roam_history", client=cara)
    assert history == {"client": {"mac": CARA, "name": CARA, "device_id": cara}, "roams": []}


async def test_a_history_goes_back_a_day_unless_told_and_is_as_long_as_wanted(
    home: Home,
) -> None:
    await home.controller.roam("Anna", "Kitchen")
    await home.happened(1)
    log = home.coordinator.roam_log
    (roam,) = log.roams(ANNA, 0)
    for hours in (1, 2, 23, 25):
        log.async_record(replace(roam, time=roam.time - hours * 3600))

    async def ages(**data: Any) -> list[int]:
        history = await act(home, "get_roam_history", client=device_id(home, ANNA), **data)
        times = [datetime.fromisoformat(row["time"]).timestamp() for row in history["roams"]]
        return [round((roam.time - time) / 3600) for time in times]

    assert await ages() == [0, 1, 2, 23]
    assert await ages(period={"hours": 1, "minutes": 30}) == [0, 1]
    assert await ages(period={"days": 7}) == [0, 1, 2, 23, 25]
    assert await ages(limit=2.0) == [0, 1]


async def test_a_period_is_measured_by_the_controllers_clock(home: Home) -> None:
    await home.controller.roam("Anna", "Kitchen")
    await home.happened(1)
    clock = home.coordinator.tracker._tracker._clock
    for offset, expected in ((0.0, 1), (86_400.0, 0), (-86_400.0, 1)):
        clock.offset = offset
        history = await act(
            home, "get_roam_history", client=device_id(home, ANNA), period={"hours": 1}
        )
        assert len(history["roams"]) == expected


# Reconnect client


async def test_a_client_is_made_to_connect_again(home: Home) -> None:
    await act(home, "reconnect_client", client=device_id(home, ANNA))
    (request,) = home.controller.requests(COMMAND)
    assert request.status == 200
    assert request.headers["X-CSRF-Token"]
    await until(lambda: home.world.client(ANNA).connected)
    assert home.world.client(BEN).connected
    assert home.controller.logins == 1


async def test_a_client_that_is_away_is_not_asked_for(home: Home) -> None:
    await home.controller.disconnect("Anna")
    await until(lambda: home.coordinator.access_point_of(ANNA) is None)
    error = await refused(home, "reconnect_client", client=device_id(home, ANNA))
    assert isinstance(error, ServiceValidationError)
    assert error.translation_key == "client_not_connected"
    assert error.translation_placeholders == {"client": "Anna"}
    assert home.controller.requests(COMMAND) == []


async def test_a_client_that_only_the_controller_knows_to_be_away_is_told_the_same(
    home: Home,
) -> None:
    home.world.disconnect("Anna")
    error = await refused(home, "reconnect_client", client=device_id(home, ANNA))
    assert isinstance(error, ServiceValidationError)
    assert error.translation_key == "client_not_connected"


async def test_while_the_controller_was_away_only_it_knows_who_is_there(home: Home) -> None:
    await home.controller.disconnect("Anna")
    await until(lambda: home.coordinator.access_point_of(ANNA) is None)
    home.world.connect("Anna", "Hall")
    home.coordinator.available = False
    await act(home, "reconnect_client", client=device_id(home, ANNA))
    assert len(home.controller.requests(COMMAND)) == 1


@pytest.mark.parametrize("role", ["readonly"])
async def test_an_account_that_may_only_look_is_told_what_to_do_and_logs_in_no_more(
    home: Home,
) -> None:
    for _ in range(5):
        error = await refused(home, "reconnect_client", client=device_id(home, ANNA))
        assert error.translation_key == "not_permitted"
        assert error.translation_placeholders == {"username": home.controller.username}
    assert not isinstance(error, ServiceValidationError)
    assert home.controller.logins == 1
    assert home.world.client(ANNA).connected


async def test_nor_does_one_that_is_told_so_in_the_words_of_an_ended_session(home: Home) -> None:
    home.controller.faults.refuse(f"*{COMMAND}", status=403, body="Forbidden")
    for _ in range(5):
        error = await refused(home, "reconnect_client", client=device_id(home, ANNA))
        assert error.translation_key == "not_permitted"
    assert home.controller.login_attempts == 1


async def test_a_session_that_has_ended_is_renewed_for_it(home: Home) -> None:
    # It was longer ago than the budget wants that it logged in.
    home.coordinator.session._account_logins._began -= 3600
    await home.controller.expire_sessions(cut=False)
    await act(home, "reconnect_client", client=device_id(home, ANNA))
    assert [request.status for request in home.controller.requests(COMMAND)] == [401, 200]
    assert home.controller.logins == 2


async def test_sessions_that_keep_ending_cost_no_logins_beyond_the_budget(home: Home) -> None:
    for _ in range(4):
        await home.controller.expire_sessions(cut=False)
        error = await refused(home, "reconnect_client", client=device_id(home, ANNA))
        assert error.translation_key == "login_budget"
    assert home.controller.login_attempts == 1


@pytest.mark.parametrize(
    ("status", "key"),
    [(429, "rate_limited"), (503, "controller_starting"), (200, "unexpected_answer")],
)
async def test_what_else_goes_wrong_is_told_as_it_is_everywhere(
    home: Home, status: int, key: str
) -> None:
    body = {"meta": {"rc": "error", "msg": "api.err.Other"}} if status == 200 else ""
    home.controller.faults.refuse(f"*{COMMAND}", status=status, body=body)
    error = await refused(home, "reconnect_client", client=device_id(home, ANNA))
    assert not isinstance(error, ServiceValidationError)
    assert (error.translation_domain, error.translation_key) == (DOMAIN, key)


# Export capture


@pytest.fixture
def config(home: Home, tmp_path: Path) -> Path:
    """Give Home Assistant a configuration folder of its own."""
    home.hass.config.config_dir = str(tmp_path)
    return tmp_path


async def export(home: Home) -> Path:
    answer = await act(home, "export_capture", config_entry=home.entry.entry_id)
    return Path(answer["path"])


async def test_what_the_recorder_holds_is_written_where_the_answer_says(
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
    # Whoever publishes it gives nothing away.
    assert not any(word in text for word in ("Anna", "Kitchen", ANNA, KITCHEN))


async def test_a_capture_is_written_for_an_automation_that_wants_no_answer(
    home: Home, config: Path
) -> None:
    await home.hass.services.async_call(
        DOMAIN, "export_capture", {"config_entry": home.entry.entry_id}, blocking=True
    )
    assert len(list((config / DOMAIN).iterdir())) == 1


async def test_only_the_newest_captures_are_kept_and_nothing_else_is_touched(
    home: Home, config: Path
) -> None:
    folder = config / DOMAIN
    folder.mkdir()
    others = [folder / "notes.txt", folder / "notes.json"]
    for other in others:
        other.write_text("mine")
    files = [await export(home) for _ in range(MAX_CAPTURE_FILES + 2)]
    assert set(folder.iterdir()) == {*others, *files[-MAX_CAPTURE_FILES:]}


async def test_a_clock_that_was_set_back_does_not_cost_the_new_capture(
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


async def test_a_capture_that_cannot_be_written_says_why(home: Home, config: Path) -> None:
    (config / DOMAIN).write_text("a file where the folder should be")
    error = await refused(home, "export_capture", config_entry=home.entry.entry_id)
    assert error.translation_key == "capture_not_written"
    assert error.translation_placeholders is not None
    assert "exists" in error.translation_placeholders["error"]


async def test_a_full_disk_is_told(
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
async def test_only_a_site_of_ours_can_be_exported(home: Home, entry_id: str) -> None:
    MockConfigEntry(domain="stranger", entry_id="stranger").add_to_hass(home.hass)
    error = await refused(home, "export_capture", config_entry=entry_id)
    assert isinstance(error, ServiceValidationError)
    assert home.entry.state is ConfigEntryState.LOADED
