"""Tests of the simulated controller's command line, `python -m tests.controller`."""

import asyncio
from contextlib import suppress
import json
from pathlib import Path
import signal
import sys
from typing import Any

import pytest

from tests.controller import ServerCertificate, SimulatedController, make_certificate
from tests.controller.__main__ import parse_arguments

from .conftest import HttpClient

REPOSITORY = Path(__file__).parents[2]


async def start(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.controller",
        *arguments,
        cwd=REPOSITORY,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def first_line(process: asyncio.subprocess.Process) -> dict[str, Any]:
    assert process.stdout is not None
    line: dict[str, Any] = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
    return line


async def finish(process: asyncio.subprocess.Process) -> tuple[int, str, str]:
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    out, err = await asyncio.wait_for(process.communicate(), 10)
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_controller_command_prints_readiness_and_movements_and_exits_cleanly(
    tmp_path: Path,
) -> None:
    ready_file = tmp_path / "ready.json"
    process = await start(
        "--print-truth", "--speed", "60", "--ready-file", str(ready_file), "--site", "home:Our Home"
    )
    ready = await first_line(process)
    assert ready == json.loads(ready_file.read_text())
    assert ready["url"] == f"https://127.0.0.1:{ready['port']}"
    assert ready["sites"] == ["home"]
    assert "password" not in ready
    assert process.stdout is not None
    movement = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
    assert {"time", "kind", "client_mac", "client_name", "from", "to"} <= set(movement)
    status, _, err = await finish(process)
    assert (status, err) == (0, "")


async def test_controller_command_serves_the_given_certificate_and_limits_logins(
    tmp_path: Path,
) -> None:
    given = make_certificate()
    (tmp_path / "cert.pem").write_bytes(given.certificate)
    (tmp_path / "key.pem").write_bytes(given.key)
    certificate, key = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")
    process = await start("--certificate", certificate, "--key", key, "--login-limit", "1")
    ready = await first_line(process)
    assert ready["fingerprint"] == given.fingerprint
    loaded = ServerCertificate.load(Path(certificate), Path(key))
    # Never started: it only gives the client the address and the certificate.
    address = SimulatedController(certificate=loaded, port=ready["port"])
    http = HttpClient(address)
    assert [(await http.login()).status for _ in range(2)] == [200, 429]
    await http.session.close()
    assert (await finish(process))[0] == 0


async def test_controller_command_reports_a_port_in_use() -> None:
    async with SimulatedController() as controller:
        process = await start("--port", str(controller.port))
        out, err = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 1
    assert out == b""
    assert f"cannot listen on port {controller.port}" in err.decode()


def test_controller_command_rejects_a_certificate_without_a_key(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        parse_arguments(["--certificate", "some.pem"])
    assert "go together" in capsys.readouterr().err
