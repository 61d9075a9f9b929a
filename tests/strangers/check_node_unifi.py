"""Check the simulated controller with node-unifi, which asks for `clients=v2` and runs in Node.

Only `scripts/test --strangers` runs it, because it installs node-unifi if there is a Node.
"""

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
import json
import os
from pathlib import Path
import shutil
from typing import Any

import pytest

from tests.controller import Band, SimulatedController

# Its shape depends on the kind.
type Json = Any
MODULES = Path(__file__).parents[2] / ".tools/node-unifi/node_modules"
SCRIPT = Path(__file__).parent / "node_unifi.js"
NODE = shutil.which("node")

pytestmark = pytest.mark.skipif(
    NODE is None or not MODULES.exists(), reason="Node or node-unifi is not installed"
)


@pytest.fixture
async def node_unifi(controller: SimulatedController, tmp_path: Path) -> AsyncGenerator[Process]:
    """Return node-unifi, logging in."""
    certificate = tmp_path / "certificate.pem"
    certificate.write_bytes(controller.certificate.certificate)
    assert NODE is not None
    process = await asyncio.create_subprocess_exec(
        NODE,
        str(SCRIPT),
        *(str(controller.port), controller.username, controller.password),
        env={**os.environ, "NODE_PATH": str(MODULES), "NODE_EXTRA_CA_CERTS": str(certificate)},
        stdout=PIPE,
        limit=2**20,
    )
    yield process
    if process.returncode is None:
        process.kill()
    await process.wait()


async def printed(process: Process, wanted: str) -> Json:
    """Return the next data of a kind, a list or an object."""
    assert process.stdout is not None
    async with asyncio.timeout(15):
        async for line in process.stdout:
            what, data = json.loads(line)
            if what == wanted:
                return data
    pytest.fail(f"node-unifi ended without {wanted}")


async def test_node_unifi_logs_in_lists_clients_and_receives_a_roam(
    controller: SimulatedController, node_unifi: Process
) -> None:
    world = controller.world
    phone = world.client("Anna's phone")
    hall, kitchen = world.access_point("Hall").mac, world.access_point("Kitchen").mac
    world.roam_radio(phone.mac, Band.NG)

    clients = {row["mac"]: row["ap_mac"] for row in await printed(node_unifi, "clients")}
    assert clients == {client.mac: client.link.ap for client in world.online() if client.link}
    for kind in ("all clients", "users"):
        assert {row["mac"] for row in await printed(node_unifi, kind)} == set(world.clients)
    events = await printed(node_unifi, "events")
    assert [event["key"] for event in events] == ["EVT_WU_RoamRadio"]
    assert "wlan" in {row["subsystem"] for row in await printed(node_unifi, "health")}

    await printed(node_unifi, "connected")
    await controller.wait_for_sockets()
    await controller.roam(phone.mac, "Kitchen")
    roam = await printed(node_unifi, "roam")
    assert (roam["user"], roam["ap_from"], roam["ap_to"]) == (phone.mac, hall, kitchen)
    await controller.sync(phone.mac)
    record = await printed(node_unifi, "record")
    assert (record["mac"], record["ap_mac"]) == (phone.mac, kitchen)
    # Before each request it checks whether its session is still valid.
    assert {request.status for request in controller.requests("/self")} == {200}
    assert controller.logins == 1
