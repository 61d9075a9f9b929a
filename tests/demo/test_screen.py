"""Tests of the demo's output in the terminal and of its ports."""

import socket

import pytest

from .process import HOST, DemoError, free_ports
from .screen import HEADER, LogWatch, roam_line

ROAM = {
    "client_name": "Anna's phone",
    "ap_from_name": "Hall",
    "ap_to_name": "Kitchen",
    "band_to": "5",
    "signal": -58,
    "time": "2026-11-22T19:00:00+00:00",
    "inferred": False,
}
WARNING = "2026-11-22 19:00:00.123+00:00 WARNING (MainThread) [custom_components.unifi_scanner] Oh"
FOREIGN = "2026-11-22 19:00:00.123+00:00 ERROR (MainThread) [homeassistant.components.sun] Dark"


def test_roam_line_shows_both_access_points_band_and_signal() -> None:
    line = roam_line(ROAM)
    for word in ("Anna's phone", "Hall -> Kitchen", "5 GHz", "-58 dBm", ":00:00"):
        assert word in line
    assert "inferred" not in line


def test_roam_line_omits_an_unknown_signal() -> None:
    assert "dBm" not in roam_line(ROAM | {"signal": None})


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        ([WARNING], 1),
        ([WARNING, WARNING], 2),
        ([FOREIGN], 0),
        # Only the traceback names the integration.
        ([FOREIGN, '  File "custom_components/unifi_scanner/sensor.py"'], 1),
        ([WARNING.replace("WARNING", "INFO")], 0),
        ([f"{WARNING} which has not been tested by Home Assistant"], 0),
    ],
)
async def test_log_watch_shows_only_problems_of_the_integration(
    lines: list[str], shown: int, capsys: pytest.CaptureFixture[str]
) -> None:
    log = LogWatch("unifi_scanner")
    for line in lines:
        log.line(line)
    log.flush()
    assert log.shown == shown
    assert capsys.readouterr().out.count("Home Assistant's log") == shown


def test_roam_line_columns_align_with_the_header() -> None:
    header, line = HEADER.splitlines()[-1], roam_line(ROAM)
    for title, value in (("client", "Anna"), ("from", "Hall"), ("signal", "-58")):
        assert header.index(title) == line.index(value)


@pytest.mark.usefixtures("socket_enabled")
def test_free_ports_reports_all_ports_in_use_with_a_remedy() -> None:
    with socket.create_server((HOST, 0)) as one, socket.create_server((HOST, 0)) as other:
        wanted = {"--port": one.getsockname()[1], "--other": other.getsockname()[1]}
        with pytest.raises(DemoError) as error:
            free_ports(wanted)
    for option, port in wanted.items():
        assert f"Port {port} cannot be used" in str(error.value)
        assert f"{option} 0" in str(error.value)


@pytest.mark.usefixtures("socket_enabled")
def test_free_ports_picks_any_free_port_for_0() -> None:
    ports = free_ports({"--port": 0, "--other": 0})
    assert len(set(ports)) == len(ports)
    assert all(ports)
