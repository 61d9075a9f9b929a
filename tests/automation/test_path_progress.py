"""The trigger by a path from place to place."""

from datetime import UTC, datetime
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers.dispatcher import async_dispatcher_send
import pytest

from custom_components.unifi_scanner.automation.path_progress import LATENESS, LIMIT, PathProgress
from custom_components.unifi_scanner.roaming import EventKind
from custom_components.unifi_scanner.site.publisher import SIGNAL_EVENT
from tests.automations import Automations, device_id, put_in_area, trigger
from tests.controller import Band
from tests.home import ANNA, ATTIC, BEN, HALL, KITCHEN, Home

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture
def automations(hass: HomeAssistant) -> Automations:
    return Automations(hass)


async def walk(home: Home, client: str, *places: str) -> None:
    """Let a client roam from place to place."""
    for place in places:
        told = len(home.events)
        await home.controller.roam(client, place)
        await home.happened(told + 1)


# The whole trigger


async def test_a_path_of_access_points_triggers_when_its_end_is_reached(
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
    seen = automations.runs[0][1]
    assert seen["description"] == "Anna followed the path to Attic"
    assert (seen["client_mac"], seen["ap_to_mac"]) == (ANNA, ATTIC)
    assert await automations.ran() == ["three", "two"]
    await walk(home, ANNA, "Hall")
    assert await automations.ran() == ["back"]


async def test_a_path_of_areas_may_lead_past_others(home: Home, automations: Automations) -> None:
    await home.set_up()
    ground, roof = put_in_area(home, HALL, "Ground floor"), put_in_area(home, ATTIC, "Roof")
    await automations.set_up(
        path=trigger("client_followed_path", areas=[ground, roof], within=300),
    )
    await walk(home, ANNA, "Kitchen", "Attic")
    assert await automations.ran() == ["path"]


async def test_a_client_that_was_away_on_its_way_has_followed_the_path_too(
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


async def test_clients_do_not_complete_each_others_paths(
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


async def test_changing_the_radio_is_not_coming_back(home: Home, automations: Automations) -> None:
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


async def test_the_time_is_that_of_the_events_not_of_their_arrival(
    hass: HomeAssistant, automations: Automations
) -> None:
    await automations.set_up(
        path=trigger("client_followed_path", areas=["hall", "attic"], within=60),
    )

    def arrive(area: str, second: int) -> None:
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
        }
        async_dispatcher_send(hass, SIGNAL_EVENT, EventKind.CONNECTED, data)

    arrive("hall", 100)
    arrive("attic", 161)
    assert await automations.ran() == []
    arrive("hall", 200)
    arrive("attic", 260)
    assert await automations.ran() == ["path"]


# How far each client has come


class Walks:
    """A path whose clients' moves are told as they happen, unless `late` seconds after."""

    def __init__(self, length: int, within: float = 60.0) -> None:
        """Begin with nobody on the way."""
        self.progress = PathProgress(length, within)

    def move(
        self, client: str, at: float, left: int | None, reached: int | None, late: float = 0.0
    ) -> bool:
        """Let a client move between places of the path, None for any other."""
        ends = [[] if place is None else [place] for place in (left, reached)]
        return self.progress.move(client, ends[0], ends[1], at=at, now=at + late)


def test_the_time_begins_when_the_first_place_is_left() -> None:
    walks = Walks(2)
    assert not walks.move("a", 0, None, 0)
    assert not walks.move("a", 1000, 0, None)
    assert walks.move("a", 1060, None, 1)


def test_a_path_that_took_too_long_does_not_count() -> None:
    walks = Walks(2)
    walks.move("a", 0, 0, None)
    assert not walks.move("a", 61, None, 1)
    assert len(walks.progress) == 0


def test_coming_by_the_first_place_again_begins_anew() -> None:
    walks = Walks(3)
    walks.move("a", 0, 0, 1)
    walks.move("a", 50, 1, 0)
    walks.move("a", 55, 0, None)
    # What was reached before the turn does not make the way longer than its time.
    assert not walks.move("a", 65, None, 2)
    walks.move("a", 70, 2, 1)
    assert walks.move("a", 75, 1, 2)


def test_the_latest_start_counts() -> None:
    walks = Walks(3)
    walks.move("a", 0, 0, 1)
    walks.move("a", 40, 1, 0)
    walks.move("a", 50, 0, 1)
    assert walks.move("a", 100, 1, 2)


def test_one_move_is_one_step() -> None:
    progress = PathProgress(2, 60)
    assert not progress.move("a", [], [0, 1], at=0, now=0)
    assert not progress.move("a", [0, 1], [], at=1, now=1)
    assert progress.move("a", [], [0, 1], at=2, now=2)


def test_places_in_the_wrong_order_are_no_path() -> None:
    walks = Walks(3)
    assert not walks.move("a", 0, 2, 1)
    assert not walks.move("a", 1, 1, 0)
    assert not walks.move("a", 2, 0, 2)


def test_a_path_counts_once_and_then_from_its_beginning() -> None:
    walks = Walks(2)
    assert walks.move("a", 0, 0, 1)
    assert not walks.move("a", 1, 1, None)
    assert not walks.move("a", 2, None, 1)
    assert not walks.move("a", 3, 1, 0)
    assert walks.move("a", 4, 0, 1)


def test_a_move_that_is_told_late_is_left_out() -> None:
    walks = Walks(3)
    walks.move("a", 10, 0, 1)
    assert not walks.move("a", 5, 1, 2)
    assert walks.move("a", 20, 1, 2)


def test_progress_is_forgotten_when_its_time_is_over() -> None:
    walks = Walks(2)
    walks.move("a", 0, 0, None)
    walks.move("b", 60 + LATENESS, 0, None)
    assert len(walks.progress) == 2
    walks.move("b", 61 + LATENESS, None, None)
    assert len(walks.progress) == 1


def test_late_news_still_find_the_progress() -> None:
    walks = Walks(2)
    walks.move("a", 0, 0, None)
    walks.move("b", LATENESS, 0, None)
    assert walks.move("a", 60, None, 1, late=LATENESS)


def test_a_controllers_clock_that_was_set_back_stops_nobody_for_long() -> None:
    progress = PathProgress(2, 60)
    progress.move("a", [0], [], at=1_000_000, now=0)
    later = 61 + LATENESS
    assert not progress.move("a", [], [0], at=100, now=later)
    assert progress.move("a", [0], [1], at=110, now=later + 10)


def test_only_so_many_clients_are_followed() -> None:
    walks = Walks(2)
    for number in range(LIMIT + 5):
        walks.move(f"{number}", number / LIMIT, 0, None)
    assert len(walks.progress) == LIMIT
    assert not walks.move("4", 2, None, 1)
    assert walks.move("5", 2, None, 1)


def test_clients_on_no_part_of_the_path_cost_nothing() -> None:
    walks = Walks(2)
    walks.move("a", 0, None, None)
    walks.move("b", 0, None, 1)
    assert len(walks.progress) == 0
