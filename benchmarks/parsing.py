"""From frames to events: ours, aiounifi, and plain JSON parsing."""

from collections.abc import Callable, Iterable, Sequence
import json
from typing import cast

from aiounifi.controller import Controller
from aiounifi.interfaces.messages import MessageHandler
from aiounifi.models.message import Message, MessageKey
import orjson

from custom_components.unifi_scanner.api import parse_unifi_events

from .effort import Effort
from .frames import SSIDS_OF_40_KB, Crowd, device_frame, mixed_stream
from .measure import time_in_turn
from .rows import OURS, Figure, Row

_UNWANTED_CALLS, _SYNC_CALLS = 200, 1_000
# The messages about clients that Home Assistant's own integration subscribes to.
_CLIENT_MESSAGES = (MessageKey.CLIENT, MessageKey.EVENT)


def rows(effort: Effort) -> list[Row]:
    """Measure an unwanted frame, the record of one client, and a site's stream."""
    crowd, mixed = Crowd(clients=1), mixed_stream()
    frames = {
        "unwanted_start": ([device_frame(SSIDS_OF_40_KB)], _UNWANTED_CALLS),
        "unwanted_end": ([device_frame(SSIDS_OF_40_KB, meta_first=False)], _UNWANTED_CALLS),
        "sync": ([crowd.sync(crowd.clients[0])], _SYNC_CALLS),
        "mixed": (mixed, 1),
    }
    megabytes = sum(map(len, mixed)) / 1_000_000
    works = {
        "unwanted_start": "unwanted frame of 40 KB, type at the start",
        "unwanted_end": "unwanted frame of 40 KB, type at the end",
        "sync": "`sta:sync` of 1 client, bytes to `BufferedEvent`",
        "mixed": f"mixed stream of {len(mixed)} frames, {megabytes:.1f} MB, per frame",
    }
    timings = {key: time_parsers(*given, effort.rounds) for key, given in frames.items()}
    return [
        Row(
            key=key,
            work=works[key],
            unit="µs",
            figures={contender: Figure.of(samples) for contender, samples in each.items()},
        )
        for key, each in timings.items()
    ]


def time_parsers(frames: Sequence[bytes], repeats: int, rounds: int) -> dict[str, list[float]]:
    """Return each parser's microseconds per frame, for each round."""
    aiounifi = MessageHandler(cast("Controller", None))
    aiounifi.subscribe(_ignore, _CLIENT_MESSAGES)
    texts = [frame.decode() for frame in frames]

    def over[T: (bytes, str)](
        parse: Callable[[T], object], given: Iterable[T]
    ) -> Callable[[], None]:
        def work() -> None:
            for _ in range(repeats):
                for frame in given:
                    parse(frame)

        return work

    contenders = {
        OURS: over(parse_unifi_events, frames),
        # Its socket returns text.
        "aiounifi": over(aiounifi.new_data, texts),
        "orjson": over(orjson.loads, frames),
        "json": over(json.loads, frames),
    }
    return time_in_turn(contenders, calls=repeats * len(frames), rounds=rounds)


def _ignore(_message: Message) -> None:
    """Subscribe to messages without using them."""
