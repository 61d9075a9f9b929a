"""Tests of parsing JSON in which some of the text is damaged."""

import asyncio
from contextlib import suppress
import json
import time
from typing import Any

from hypothesis import given, strategies as st
import orjson
import pytest
from websockets.asyncio.server import ServerConnection, serve

from custom_components.unifi_scanner.api import (
    BufferedEvent,
    DeviceType,
    UnifiClient,
    UnifiWebSocketClient,
    damaged_json,
)
from custom_components.unifi_scanner.api.damaged_json import load_json
from tests.controller import SimulatedController

from .frames import DAMAGE, STATION, frame

TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.text('\\\\"u0d8\\0\\n\U0001f4f1')
DAMAGED = st.sampled_from([*DAMAGE.values()])


@pytest.mark.parametrize(
    ("damaged", "expected"),
    [
        (b"phone-\xfb", "phone-\ufffd"),
        (b"phone-\xe9", "phone-\ufffd"),
        (b"phone-\xf0\x9f\x93", "phone-\ufffd"),
        (rb"phone-\ud83d", "phone-\ufffd"),
        (rb"phone-\uDE00", "phone-\ufffd"),
        (rb"\ud83d\ud83d\ude00\ude00", "\ufffd\U0001f600\ufffd"),
        (rb"\\ud83d\ud83d", "\\ud83d\ufffd"),
        (b"phone-\x01", "phone- "),
        (b"a\tb\nc\0", "a b c "),
        (b"a\\\nb", "a\ufffd b"),
        (rb"\x41\u12", "\ufffdx41\ufffdu12"),
    ],
)
def test_damaged_characters_are_replaced(damaged: bytes, expected: str) -> None:
    assert load_json(b'{"name":"' + damaged + b'"}') == {"name": expected}


@given(st.lists(TEXTS), DAMAGED, TEXTS, st.lists(TEXTS), st.booleans())
def test_one_damaged_text_leaves_all_others_unchanged(
    before: list[str],
    damage: bytes,
    start: str,
    after: list[str],
    ascii_only: bool,  # noqa: FBT001 - drawn by hypothesis
) -> None:
    def quoted(text: str) -> bytes:
        return json.dumps(text, ensure_ascii=ascii_only).encode()

    damaged = quoted(start)[:-1] + damage + b'"'
    raw = b",\n".join([*map(quoted, before), damaged, *map(quoted, after)])
    parsed = load_json(b"[" + raw + b"]")
    assert parsed.pop(len(before)).startswith(start)
    assert parsed == before + after


@pytest.mark.parametrize(
    "raw", [b"", b"\xff", b"\0\0", b"pong", b'{"a":1', b'{"a":"\xff}', b'["\x01",]', b"[NaN]"]
)
def test_what_is_not_json_even_without_damage_is_rejected(raw: bytes) -> None:
    with pytest.raises(orjson.JSONDecodeError):
        load_json(raw)


def test_valid_json_is_parsed_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    repairs: list[Any] = []
    monkeypatch.setattr(damaged_json, "_repaired", repairs.append)
    assert load_json(b'\n{"a": "\\ud83d\\ude00 \\u0000"}') == {"a": "\U0001f600 \0"}
    assert repairs == []


@pytest.mark.parametrize(
    "filling", [b"\\", b"\\\\", rb"\ud83d", b"\xff", b"\x01", rb"\n", b'"', b"["]
)
def test_damage_everywhere_takes_bounded_time(filling: bytes) -> None:
    raw = b'["\xff' + filling * (2**20 // len(filling)) + b'"]'
    began = time.perf_counter()
    with suppress(orjson.JSONDecodeError):
        load_json(raw)
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
async def test_damaged_name_leaves_the_rest_of_every_response_readable(
    controller: SimulatedController, logged_in: UnifiClient, damage: bytes
) -> None:
    macs = ["02:00:00:00:00:01", "02:00:00:00:00:02"]
    records = [{"mac": mac, "name": "name@@", "hostname": "@@", "desc": "@@"} for mac in macs]
    body = orjson.dumps({"meta": {"rc": "ok"}, "data": records}).replace(b"@@", damage)
    for path in ("*stat/sta", "*rest/user", "*stat/device-basic", "*self/sites", "*stat/sysinfo"):
        controller.faults.refuse(path, status=200, body=body)
    assert [station.mac for station in await logged_in.stations("default")] == macs
    assert [known.mac for known in await logged_in.known_clients("default")] == macs
    assert [device.mac for device in await logged_in.devices("default")] == macs
    assert len(await logged_in.sites()) == 2
    assert await logged_in.system_info("default")


async def test_socket_receives_a_text_frame_that_is_not_utf8() -> None:
    text = frame("sta:sync", STATION | {"hostname": "@@"}).encode().replace(b"@@", b"\xfb")

    async def send(connection: ServerConnection) -> None:
        await connection.send(text, text=True)
        await connection.wait_closed()

    async with serve(send, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        client = UnifiWebSocketClient(
            base_url=url, site="default", cookies={}, device_type=DeviceType.SELF_HOSTED
        )
        received: list[BufferedEvent] = []

        async def stop(event: BufferedEvent) -> None:
            received.append(event)
            await client.stop()

        await asyncio.wait_for(client.listen(stop), 5)
    assert [event.data["hostname"] for event in received] == ["\ufffd"]
