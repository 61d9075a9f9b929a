"""Check the simulated controller with pyunifi, a client without an event socket."""

import asyncio
from pathlib import Path

import pytest
from pyunifi.controller import APIError, Controller

from tests.controller import Flavour, SimulatedController


@pytest.fixture(autouse=True)
def _own_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ignore a bundle of the environment, which requests would prefer to the certificate."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


def pyunifi(
    controller: SimulatedController, folder: Path, password: str | None = None
) -> Controller:
    """Log in; this blocks."""
    certificate = folder / "certificate.pem"
    certificate.write_bytes(controller.certificate.certificate)
    # For UniFi OS, pyunifi knows no port other than that of the host.
    unifi_os = controller.settings.flavour is Flavour.UNIFI_OS
    return Controller(
        f"127.0.0.1:{controller.port}" if unifi_os else "127.0.0.1",
        controller.username,
        password or controller.password,
        port=controller.port,
        version="UDMP-unifiOS" if unifi_os else "v5",
        ssl_verify=str(certificate),
    )


async def test_pyunifi_logs_in_and_lists_clients_access_points_events_networks_and_health(
    controller: SimulatedController, tmp_path: Path
) -> None:
    world = controller.world
    roam = await controller.roam("Anna's phone", "Kitchen")

    def check() -> None:
        stranger = pyunifi(controller, tmp_path)
        aps = {row["mac"]: row["ap_mac"] for row in stranger.get_clients()}
        kitchen = world.access_point("Kitchen").mac
        assert aps == {client.mac: kitchen for client in world.online()}
        assert {row["mac"] for row in stranger.get_users()} == set(world.clients)
        assert {row["mac"] for row in stranger.get_aps()} == set(world.devices)
        [event] = stranger.get_events()
        assert (event["key"], event["user"]) == ("EVT_WU_Roam", roam.mac)
        assert {row["name"] for row in stranger.get_wlan_conf()} == {"Home", "Guests"}
        health = {row["subsystem"]: row for row in stranger.get_healthinfo()}
        assert health["wlan"]["num_ap"] == 2

    await asyncio.to_thread(check)
    assert controller.logins == 1


async def test_pyunifi_blocks_unblocks_and_forgets_a_client_and_authorizes_a_guest(
    controller: SimulatedController, tmp_path: Path
) -> None:
    phone = controller.world.client("Anna's phone")
    guest = controller.world.add_client("Guest", is_guest=True, authorized=False, ap="Hall")

    def check() -> None:
        stranger = pyunifi(controller, tmp_path)
        stranger.authorize_guest(guest.mac, 30)
        assert guest.authorized
        stranger.block_client(phone.mac)
        assert (phone.blocked, phone.connected) == (True, False)
        stranger.unblock_client(phone.mac)
        assert not phone.blocked
        assert phone.mac in {row["mac"] for row in stranger.get_users()}

    await asyncio.to_thread(check)


async def test_pyunifi_needs_a_new_login_only_after_a_restart_that_ends_its_session(
    controller: SimulatedController, tmp_path: Path
) -> None:
    stranger = await asyncio.to_thread(pyunifi, controller, tmp_path)
    await controller.restart(forget_sessions=False)
    assert len(await asyncio.to_thread(stranger.get_clients)) == 2
    assert controller.logins == 1
    await controller.restart()
    if controller.settings.flavour is Flavour.SELF_HOSTED:
        assert len(await asyncio.to_thread(stranger.get_clients)) == 2
        assert controller.logins == 2
    else:
        # It takes every answer for JSON, and the 401 of UniFi OS is plain text.
        with pytest.raises(APIError):
            await asyncio.to_thread(stranger.get_clients)
        assert controller.requests("stat/sta")[-1].status == 401


async def test_pyunifi_recognizes_a_wrong_password(
    controller: SimulatedController, tmp_path: Path
) -> None:
    with pytest.raises(APIError):
        await asyncio.to_thread(pyunifi, controller, tmp_path, "wrong")
    assert (controller.login_attempts, controller.logins) == (1, 0)
