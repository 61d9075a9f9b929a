"""Guards for what the benchmark measures: exact counts, and times as generous ratios."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
import gc
import logging
from pathlib import Path
import sys
import time
from types import FrameType

from homeassistant.core import HomeAssistant
import orjson
import pytest
from pytest_homeassistant_custom_component.common import async_test_home_assistant

from benchmarks.frames import SSIDS_OF_40_KB, Crowd, device_frame, mixed_stream
from benchmarks.instances import address_of, controller_of, counting, home_in
from benchmarks.parsing import time_parsers
from benchmarks.rows import OURS
from benchmarks.workload import Scene, all_changed, counted, roamed
from custom_components.unifi_scanner.api import client as client_module, parse_unifi_events
from custom_components.unifi_scanner.api.records import Observation
from custom_components.unifi_scanner.roaming import ClientEvent
from tests.home import ANNA, BEN, Home, until

_ROUNDS = 7
# States that a roam writes: the client's access point, previous access point, last roam and roams
# today; the clients of both access points; the site's roams today; and the movement event.
_WRITES_PER_ROAM = 8


@pytest.fixture
async def other_hass(tmp_path: Path, socket_enabled: None) -> AsyncIterator[HomeAssistant]:  # noqa: ARG001 - opens sockets for the controller
    async with async_test_home_assistant(config_dir=str(tmp_path)) as hass:
        yield hass
        await hass.async_stop(force=True)


@pytest.fixture
def frozen() -> Iterator[Callable[[], None]]:
    """Return a function that excludes all existing objects from garbage collection."""
    yield gc.freeze
    gc.unfreeze()


@asynccontextmanager
async def scene_of(hass: HomeAssistant, clients: int) -> AsyncIterator[Scene]:
    """Run a home of the benchmark that tracks this many clients; yield it once it is streaming."""
    hass.loop.set_debug(False)
    crowd = Crowd(clients, clock=time.time)
    async with (
        controller_of(crowd) as controller,
        home_in(hass, OURS, address_of(controller), crowd.macs) as home,
    ):
        coordinator = home.entry.runtime_data
        await until(lambda: coordinator.stream_connected, 20)
        await until(lambda: len(controller.requests("stat/sta")) >= 2, 20)
        await hass.async_block_till_done(wait_background_tasks=False)
        yield Scene(home=home, crowd=crowd)


def records(crowd: Crowd) -> list[bytes]:
    """Return 60 records in which only signals and constantly changing fields differ."""
    frames = []
    for number in range(60):
        client = crowd.clients[number % 5]
        crowd.world.set_signal(client.mac, -60 - number % 3)
        frames.append(crowd.sync(client))
    return frames


@contextmanager
def counting_calls() -> Iterator[Counter[str]]:
    """Count function calls by file and name."""
    calls: Counter[str] = Counter()

    def count(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call":
            code = frame.f_code
            calls[f"{code.co_filename.rpartition('/')[2]}:{code.co_qualname}"] += 1

    sys.setprofile(count)
    try:
        yield calls
    finally:
        sys.setprofile(None)


async def test_records_without_visible_changes_write_no_states(home: Home) -> None:
    await home.set_up()
    with counting(home.hass) as fired:
        for signal in range(-70, -50):
            home.world.set_signal(ANNA, signal)
            home.world.set_signal(BEN, signal)
            home.world.clients[ANNA].extra |= {"tx_rate": -signal, "rx_bytes-r": -signal}
            await home.controller.sync(ANNA, BEN)
        await until(lambda: (state := home.coordinator.client(BEN)) and state.signal == -51)
    assert fired == {}


async def test_roam_writes_the_states_it_changes_and_fires_one_event(home: Home) -> None:
    await home.set_up()
    before = home.coordinator.metrics.writes
    with counting(home.hass) as fired:
        await home.controller.roam(ANNA, "Kitchen")
        await home.happened(1)
    assert fired == {"state_changed": _WRITES_PER_ROAM, "unifi_scanner_roam": 1}
    assert home.coordinator.metrics.writes - before == _WRITES_PER_ROAM


async def test_snapshot_without_changes_notifies_no_client_listener(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    await home.set_up()
    notified: list[str] = []
    monkeypatch.setattr(home.coordinator.listeners.clients, "async_notify_key", notified.append)
    with counting(home.hass) as fired:
        await home.coordinator.async_refresh()
    assert notified == []
    assert fired == {}


async def test_frame_of_many_clients_is_processed_in_slices(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    await home.set_up()
    batch_sizes: list[int] = []
    process_batch = home.coordinator.tracker.process_batch

    def recorded(batch: Sequence[Observation | None], now: float) -> list[ClientEvent]:
        batch_sizes.append(len(batch))
        return process_batch(batch, now)

    monkeypatch.setattr(home.coordinator.tracker, "process_batch", recorded)
    await home.controller.sync(*[ANNA] * 25)
    await until(lambda: sum(batch_sizes) == 25)
    assert batch_sizes == [10, 10, 5]


async def test_snapshot_is_parsed_and_processed_in_three_turns_of_the_event_loop(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    await home.set_up()
    steps: list[str] = []

    def record(owner: object, name: str) -> None:
        work: Callable[..., object] = getattr(owner, name)

        def recorded(*arguments: object) -> object:
            if steps[-1:] != [name]:
                steps.append(name)
                home.hass.loop.call_soon(steps.append, "turn")
            return work(*arguments)

        monkeypatch.setattr(owner, name, recorded)

    record(client_module, "extract_records")
    record(client_module, "parse_station")
    record(home.coordinator.tracker, "process_snapshot")
    await home.coordinator.async_refresh()
    parsed = steps.index("parse_station")
    assert steps[parsed - 2 :] == [
        "extract_records",
        "turn",
        "parse_station",
        "turn",
        "process_snapshot",
    ]


@pytest.mark.parametrize("meta_first", [True, False], ids=["type first", "type last"])
def test_unwanted_frame_costs_at_most_a_fifth_of_aiounifi(*, meta_first: bool) -> None:
    """Measured when written: a hundredth."""
    frame = device_frame(SSIDS_OF_40_KB, meta_first=meta_first)
    times = time_parsers([frame], 20, _ROUNDS)
    assert min(times[OURS]) < 0.2 * min(times["aiounifi"])


def test_record_costs_little_more_than_parsing_its_json() -> None:
    """Measured when written: 1.4 times as much."""
    crowd = Crowd(1)
    times = time_parsers([crowd.sync(crowd.clients[0])], 200, _ROUNDS)
    assert min(times[OURS]) < 2.5 * min(times["orjson"])


def test_stream_of_a_site_costs_at_most_half_of_aiounifi() -> None:
    """Measured when written: a tenth."""
    times = time_parsers(mixed_stream(frames=100), 1, _ROUNDS)
    assert min(times[OURS]) < 0.5 * min(times["aiounifi"])


@pytest.mark.usefixtures("socket_enabled")
async def test_busy_site_writes_only_visible_changes(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    async with scene_of(hass, 500) as scene:
        assert await counted(scene, all_changed) == {}
        assert await counted(scene, roamed) == {
            "state_changed": 100 * _WRITES_PER_ROAM,
            "unifi_scanner_roam": 100,
        }


async def test_cost_of_a_record_does_not_depend_on_the_number_of_clients(
    hass: HomeAssistant,
    other_hass: HomeAssistant,
    caplog: pytest.LogCaptureFixture,
    frozen: Callable[[], None],
) -> None:
    """Measured when written: the same calls, and 1.1 times as much time.

    In one of many rounds the capture recorder starts a new segment and drops an old one.
    """
    caplog.set_level(logging.WARNING)
    async with scene_of(hass, 10) as few, scene_of(other_hass, 1_000) as many:
        frozen()
        times = [
            [await scene.home.handle(records(scene.crowd)) for scene in (few, many)]
            for _ in range(2 * _ROUNDS)
        ]
        rounds = {id(scene): [await calls_of(scene) for _ in range(20)] for scene in (few, many)}
    quiet_few, quiet_many = (min(each, key=Counter.total) for each in rounds.values())
    assert quiet_few == quiet_many
    assert not [name for name in quiet_few if "_registry.py" in name or name.startswith("entity")]
    busiest_few, busiest_many = (max(map(Counter.total, each)) for each in rounds.values())
    assert busiest_many < 1.05 * busiest_few
    assert min(of_many for _, of_many in times) < 2 * min(of_few for of_few, _ in times)


async def calls_of(scene: Scene) -> Counter[str]:
    frames = records(scene.crowd)
    with counting_calls() as calls:
        await scene.home.handle(frames)
    return calls


def test_parser_returns_the_same_data_as_orjson() -> None:
    """Otherwise the ratios would compare different work."""
    crowd = Crowd(1)
    frame = crowd.sync(crowd.clients[0])
    (event,) = parse_unifi_events(frame)
    assert event.data == orjson.loads(frame)["data"][0]
