"""Tests of the walk: it is repeatable and plausible, and frames report it."""

import ast
import asyncio
from collections import Counter
from math import inf
from pathlib import Path
import sys

import pytest

from tests.controller import (
    Band,
    Flavour,
    Movement,
    MovementKind,
    SimulatedController,
    Site,
    WalkOptions,
)
from tests.controller.floor_plan import ROOMS, populate, signal_over
from tests.controller.walk import Walk
from tests.controller.world import World

from .conftest import HttpClient, next_frame

PACKAGE = Path(__file__).parents[1] / "controller"


def run_walk(seed: int, steps: int = 1500) -> tuple[World, list[Movement]]:
    """Run a walk in steps of one simulated second; return the world and the movements."""
    now = [1_000_000.0]
    world = World(Site.named("default"), lambda: now[0])
    walk = Walk(world, populate(world, 4), seed)
    movements = []
    for _ in range(steps):
        now[0] += 1
        movements += walk.step(1.0)
    return world, movements


def test_walk_is_repeatable_by_its_seed() -> None:
    assert run_walk(7)[1] == run_walk(7)[1]
    assert run_walk(7)[1] != run_walk(8)[1]


def test_walk_contains_every_kind_of_movement() -> None:
    kinds = Counter(movement.kind for movement in run_walk(1)[1])
    assert set(kinds) == set(MovementKind)
    assert kinds[MovementKind.ROAM] > kinds[MovementKind.ROAM_RADIO] > kinds[MovementKind.CONNECTED]


def test_walk_movements_of_a_client_are_contiguous() -> None:
    world, movements = run_walk(3)
    last = {mac: client.link for mac, client in run_walk(3, 0)[0].clients.items()}
    for movement in movements:
        before, after = movement.before, movement.after
        here = last[movement.mac]
        assert (before is None) is (here is None)
        if before is not None and here is not None:
            assert (before.ap, before.band) == (here.ap, here.band)
        match movement.kind:
            case MovementKind.ROAM:
                assert before is not None
                assert after is not None
                assert before.ap != after.ap
            case MovementKind.ROAM_RADIO:
                assert before is not None
                assert after is not None
                assert before.ap == after.ap
                assert before.band is not after.band
            case MovementKind.CONNECTED:
                assert before is None
            case MovementKind.DISCONNECTED:
                assert after is None
        last[movement.mac] = after
    assert {mac: c.link and c.link.ap for mac, c in world.clients.items()} == {
        mac: link and link.ap for mac, link in last.items()
    }


def test_walk_reports_disconnects_late() -> None:
    now = [1_000_000.0]
    world = World(Site.named("default"), lambda: now[0])
    walk = Walk(world, populate(world, 4), 1)
    lateness = []
    for _ in range(1500):
        now[0] += 1
        lateness += [now[0] - h.time for h in walk.step(1.0) if h.kind is MovementKind.DISCONNECTED]
    assert lateness
    assert min(lateness) >= 18


def test_signal_falls_with_distance_and_faster_on_higher_bands() -> None:
    last = dict.fromkeys(Band, inf)
    for metres in (1, 2, 5, 10, 20, 40):
        signals = {band: signal_over(band, (0, 0), (metres, 0)) for band in Band}
        assert all(signals[band] < last[band] for band in Band)
        assert signals[Band.NG] > signals[Band.NA] > signals[Band.SIX]
        last = signals
    assert -50 < signal_over(Band.NA, (0, 0), (3, 0)) < -30


def test_floor_plan_has_guest_wired_and_unnamed_clients() -> None:
    world = run_walk(1, 0)[0]
    assert {room.name for room in ROOMS} == {device.name for device in world.access_points()}
    assert world.client("Anna's phone").ssid == "Home"
    assert [c.ssid for c in world.clients.values() if c.is_guest] == ["Guests"]
    assert [c.name for c in world.clients.values() if c.is_wired] == ["NAS"]
    assert sum(c.name is None for c in world.clients.values()) == 2


async def test_walk_simulation_sends_roams_among_noise() -> None:
    roams: list[Movement] = []

    def collect_roam(movement: Movement) -> None:
        if movement.kind is MovementKind.ROAM:
            roams.append(movement)

    walk = WalkOptions(
        speed=60.0, sync_seconds=0.3, noise_seconds=0.3, gap_share=0.0, on_movement=collect_roam
    )
    async with SimulatedController(flavour=Flavour.UNIFI_OS, walk=walk) as controller:
        http = HttpClient(controller)
        await http.login()
        kinds: Counter[str] = Counter()
        received = set()
        async with await http.open_socket() as socket, asyncio.timeout(10):
            while len(received) < 3 or len(kinds) < 6:
                frame = await socket.receive_json(timeout=5)
                kinds[frame["meta"]["message"]] += 1
                for record in frame["data"]:
                    if record.get("key", "").endswith("_Roam"):
                        received.add((record.get("user") or record["guest"], record["ap_to"]))
        assert received <= {(roam.mac, roam.after.ap) for roam in roams if roam.after}
        assert {"events", "sta:sync", "device:sync", "session-metadata:sync"} <= set(kinds)
        await http.session.close()


async def test_walk_simulation_continues_while_the_controller_restarts() -> None:
    async with SimulatedController(walk=WalkOptions(speed=60.0)) as controller:
        before = len(controller.world.truth)
        await controller.restart(0.6)
        assert len(controller.world.truth) > before
        http = HttpClient(controller)
        await http.login()
        async with await http.open_socket() as socket:
            assert await next_frame(socket, "events")
        await http.session.close()


@pytest.mark.parametrize("module", sorted(PACKAGE.glob("*.py")), ids=lambda path: path.stem)
def test_simulated_controller_does_not_import_the_integration(module: Path) -> None:
    allowed = {"aiohttp", "cryptography", "multidict", "orjson"} | sys.stdlib_module_names
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level < 2, "relative import from outside the package"
            names = [] if node.level else [node.module or ""]
        else:
            continue
        assert {name.partition(".")[0] for name in names} <= allowed
