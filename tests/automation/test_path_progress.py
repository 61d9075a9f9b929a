"""The path trigger, and the progress that it tracks."""

from datetime import UTC, datetime
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers.dispatcher import async_dispatcher_send
import pytest

from custom_components.unifi_scanner.automation.path_progress import (
    MAX_CLIENTS,
    MAX_LATENESS,
    PathProgress,
)
from custom_components.unifi_scanner.roaming import EventKind
from custom_components.unifi_scanner.site.publisher import SIGNAL_EVENT
from tests.automations import Automations, device_id, put_in_area, trigger
from tests.controller import Band
from tests.home import ANNA, ATTIC, BEN, HALL, KITCHEN, Home

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture
def automations(hass: HomeAssistant) -> Automations:
    return Automations(hass)


async def walk(home: Home, client: str, *access_points: str) -> None:
    """Let a client roam from access point to access point."""
    for access_point in access_points:
        events = len(home.events)
        await home.controller.roam(client, access_point)
        await home.happened(events + 1)


# The trigger


async def test_a_path_of_access_points_triggers_at_its_end(
    home: Home, automations: Automations
) -> None:
    await home.set_up()
    hall, kitchen, attic = (device_id(home, mac) for mac in (HALL, KITCHEN, ATTIC))
    await automations.set_up(
        two=trigger("client_followed_path", access_points=[hall, attic], within={"minutes": 5}),
        three=trigger(
            "client_followed_path",
            access_points=[hall, kitchen, attic],
            clients=[device_id(home, ANNA)],
            within="00:05:00",
        ),
        back=trigger("client_followed_path", access_points=[attic, hall], within=300),
        ben=trigger(
            "client_followed_path",
            access_points=[hall, kitchen],
            clients=[device_id(home, BEN)],
            within=300,
        ),
    )
    await walk(home, ANNA, "Kitchen")
    assert await automations.ran() == []
    await walk(home, ANNA, "Attic")
    await home.hass.async_block_till_done()
    data = automations.runs[0][1]
    assert data["description"] == "Anna followed the path to Attic"
    assert (data["client_mac"], data["ap_to_mac"]) == (ANNA, ATTIC)
    assert await automations.ran() == ["three", "two"]
    await walk(home, ANNA, "Hall")
    assert await automations.ran() == ["back"]


async def test_a_path_of_areas_ignores_access_points_in_between(
    home: Home, automations: Automations
) -> None:
    await home.set_up()
    ground, roof = put_in_area(home, HALL, "Ground floor"), put_in_area(home, ATTIC, "Roof")
    await automations.set_up(
        path=trigger("client_followed_path", areas=[ground, roof], within=300),
    )
    await walk(home, ANNA, "Kitchen", "Attic")
    assert await automations.ran() == ["path"]


async def test_a_path_is_completed_by_a_client_that_disconnected_on_the_way(
    home: Home, automations: Automations
) -> None:
    await home.set_up(disconnect_delay=0.0)
    path = [device_id(home, mac) for mac in (HALL, ATTIC)]
    await automations.set_up(
        path=trigger("client_followed_path", access_points=path, within=300),
    )
    await home.controller.disconnect(ANNA)
    await home.happened(1)
    await home.controller.connect(ANNA, "Attic")
    await home.happened(2)
    assert await automations.ran() == ["path"]


async def test_a_path_is_tracked_for_each_client_separately(
    home: Home, automations: Automations
) -> None:
    await home.set_up()
    path = [device_id(home, mac) for mac in (KITCHEN, ATTIC)]
    await automations.set_up(
        path=trigger("client_followed_path", access_points=path, within=300),
    )
    await walk(home, ANNA, "Kitchen")
    await walk(home, BEN, "Attic")
    assert await automations.ran() == []
    await walk(home, ANNA, "Attic")
    assert await automations.ran() == ["path"]


async def test_a_path_ignores_a_change_of_radio(home: Home, automations: Automations) -> None:
    await home.set_up()
    hall = device_id(home, HALL)
    await automations.set_up(
        back=trigger("client_followed_path", access_points=[hall, hall], within=300),
    )
    await home.controller.roam_radio(ANNA, Band.NG)
    await home.happened(1)
    assert await automations.ran() == []
    await walk(home, ANNA, "Kitchen")
    assert await automations.ran() == []
    await walk(home, ANNA, "Hall")
    assert await automations.ran() == ["back"]


async def test_the_time_limit_of_a_path_uses_event_times_rather_than_arrival_times(
    hass: HomeAssistant, automations: Automations
) -> None:
    await automations.set_up(
        path=trigger("client_followed_path", areas=["hall", "attic"], within=60),
    )

    def arrive(area: str, second: int, *, late: bool = False) -> None:
        data: dict[str, Any] = {
            "entry_id": "1",
            "client_mac": ANNA,
            "client_name": "Anna",
            "device_id": None,
            "ap_from_mac": None,
            "area_from": None,
            "ap_to_mac": ATTIC,
            "ap_to_name": "Attic",
            "area_to": area,
            "time": datetime.fromtimestamp(second, UTC).isoformat(),
            "late": late,
        }
        async_dispatcher_send(hass, SIGNAL_EVENT, EventKind.CONNECTED, data)

    arrive("hall", 100)
    arrive("attic", 161)
    assert await automations.ran() == []
    arrive("hall", 200)
    arrive("attic", 260)
    assert await automations.ran() == ["path"]
    # A late step counts, but a path whose end is reported late is not reported.
    arrive("hall", 300, late=True)
    arrive("attic", 350)
    assert await automations.ran() == ["path"]
    arrive("hall", 400)
    arrive("attic", 450, late=True)
    arrive("attic", 455)
    assert await automations.ran() == []


# PathProgress


class Walks:
    """A path, with moves that are reported as they happen unless `late` by some seconds."""

    def __init__(self, length: int, time_limit: float = 60.0) -> None:
        """Track a path, without any progress."""
        self.progress = PathProgress(length, time_limit)

    def move(
        self, client: str, at: float, left: int | None, reached: int | None, late: float = 0.0
    ) -> bool:
        """Move a client between steps of the path; None is any other location."""
        ends = [[] if step is None else [step] for step in (left, reached)]
        return self.progress.move(client, ends[0], ends[1], at=at, now=at + late)


def test_the_time_limit_starts_when_a_client_leaves_the_first_step() -> None:
    walks = Walks(2)
    assert not walks.move("a", 0, None, 0)
    assert not walks.move("a", 1000, 0, None)
    assert walks.move("a", 1060, None, 1)


def test_a_path_that_takes_too_long_is_not_completed() -> None:
    walks = Walks(2)
    walks.move("a", 0, 0, None)
    assert not walks.move("a", 61, None, 1)
    assert len(walks.progress) == 0


def test_visiting_the_first_step_again_restarts_the_path() -> None:
    walks = Walks(3)
    walks.move("a", 0, 0, 1)
    walks.move("a", 50, 1, 0)
    walks.move("a", 55, 0, None)
    # Steps reached before the restart do not extend the time limit.
    assert not walks.move("a", 65, None, 2)
    walks.move("a", 70, 2, 1)
    assert walks.move("a", 75, 1, 2)


def test_the_time_limit_counts_from_the_latest_start() -> None:
    walks = Walks(3)
    walks.move("a", 0, 0, 1)
    walks.move("a", 40, 1, 0)
    walks.move("a", 50, 0, 1)
    assert walks.move("a", 100, 1, 2)


def test_one_move_advances_by_one_step() -> None:
    progress = PathProgress(2, 60)
    assert not progress.move("a", [], [0, 1], at=0, now=0)
    assert not progress.move("a", [0, 1], [], at=1, now=1)
    assert progress.move("a", [], [0, 1], at=2, now=2)


def test_steps_in_the_wrong_order_do_not_complete_a_path() -> None:
    walks = Walks(3)
    assert not walks.move("a", 0, 2, 1)
    assert not walks.move("a", 1, 1, 0)
    assert not walks.move("a", 2, 0, 2)


def test_a_completed_path_starts_over() -> None:
    walks = Walks(2)
    assert walks.move("a", 0, 0, 1)
    assert not walks.move("a", 1, 1, None)
    assert not walks.move("a", 2, None, 1)
    assert not walks.move("a", 3, 1, 0)
    assert walks.move("a", 4, 0, 1)


def test_a_late_move_is_ignored_if_the_client_has_moved_since() -> None:
    walks = Walks(3)
    walks.move("a", 10, 0, 1)
    assert not walks.move("a", 5, 1, 2)
    assert walks.move("a", 20, 1, 2)


def test_progress_is_discarded_after_the_time_limit() -> None:
    walks = Walks(2)
    walks.move("a", 0, 0, None)
    walks.move("b", 60 + MAX_LATENESS, 0, None)
    assert len(walks.progress) == 2
    walks.move("b", 61 + MAX_LATENESS, None, None)
    assert len(walks.progress) == 1


def test_a_late_move_still_completes_a_path() -> None:
    walks = Walks(2)
    walks.move("a", 0, 0, None)
    walks.move("b", MAX_LATENESS, 0, None)
    assert walks.move("a", 60, None, 1, late=MAX_LATENESS)


def test_paths_recover_after_the_controllers_clock_is_set_back() -> None:
    progress = PathProgress(2, 60)
    progress.move("a", [0], [], at=1_000_000, now=0)
    later = 61 + MAX_LATENESS
    assert not progress.move("a", [], [0], at=100, now=later)
    assert progress.move("a", [0], [1], at=110, now=later + 10)


def test_the_number_of_clients_in_progress_is_bounded() -> None:
    walks = Walks(2)
    for number in range(MAX_CLIENTS + 5):
        walks.move(f"{number}", number / MAX_CLIENTS, 0, None)
    assert len(walks.progress) == MAX_CLIENTS
    assert not walks.move("4", 2, None, 1)
    assert walks.move("5", 2, None, 1)


def test_clients_off_the_path_take_no_memory() -> None:
    walks = Walks(2)
    walks.move("a", 0, None, None)
    walks.move("b", 0, None, 1)
    assert len(walks.progress) == 0
