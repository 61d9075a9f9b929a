"""Split long work into turns of the event loop.

Such work is a generator that yields wherever other tasks may run. A thread would not help: orjson
holds the interpreter's lock while it parses, for 60 ms with the 8 MB of 5,000 client records.
"""

import asyncio
from collections.abc import Callable, Generator, Iterator
import re
from typing import Any

import orjson

from .damaged_json import load_json

# Smaller documents are parsed in about 2 ms.
LARGE = 256 * 1024  # bytes
# At most this much is done in one turn, in about 2 ms.
_BYTES_PER_TURN = 64 * 1024
_RECORDS_PER_TURN = 200

# Everything before the first record. Only a flat `meta` may precede `data`.
_HEAD = re.compile(rb'\s*\{\s*(?:"meta"\s*:\s*\{[^{}]*\}\s*,\s*)?"data"\s*:\s*\[')
_BETWEEN_OBJECTS = re.compile(rb"\}\s*,\s*\{")
# Records may contain lists of objects. After so many failures to find the end of a record, the
# document is parsed as a whole.
_MAX_ATTEMPTS = 32


async def in_turns[T](work: Generator[None, None, T]) -> T:
    """Do work, let other tasks run wherever it yields, and return its result."""
    while True:
        try:
            next(work)
        except StopIteration as done:
            result: T = done.value
            return result
        await asyncio.sleep(0)


def parse_large_json(body: bytes | bytearray) -> Generator[None, None, object]:
    """Return a document like `load_json`; raise orjson.JSONDecodeError if it is not JSON.

    Takes several turns if it is an object whose `data` is a list of objects, otherwise one.
    """
    if (head := _HEAD.match(body)) is not None:
        first, end = head.end(), body.rfind(b"]")
        try:
            document = load_json(body[:first] + body[end:])
            if isinstance(records := document["data"], list):
                for part in _parse_objects(body, first, end):
                    records += part
                    yield
                return document
        except orjson.JSONDecodeError:
            # Either it is structured differently, or it is not JSON.
            pass
    return load_json(body)


def _parse_objects(body: bytes | bytearray, start: int, end: int) -> Iterator[list[Any]]:
    """Yield the objects between two positions in parts; raise orjson.JSONDecodeError."""
    position, attempts = start + _BYTES_PER_TURN, 0
    while (between := _BETWEEN_OBJECTS.search(body, position, end)) is not None:
        position = between.end() - 1
        try:
            part = load_json(b"[" + body[start : between.start() + 1] + b"]")
        except orjson.JSONDecodeError:
            # Inside a record: the brackets of what precedes are not balanced.
            attempts += 1
            if attempts > _MAX_ATTEMPTS:
                raise
            continue
        yield part
        start, attempts = position, 0
        position += _BYTES_PER_TURN
    yield load_json(b"[" + body[start:end] + b"]")


def parse_records[R, T](
    records: list[R], parse: Callable[[R], T | None]
) -> Generator[None, None, list[T]]:
    """Return what `parse` makes of the records, without None; `records` is emptied.

    It is emptied because freeing thousands of records at once would take long, too.
    """
    parsed: list[T] = []
    for part in take_parts(records):
        yield
        parsed += [each for record in part if (each := parse(record)) is not None]
    return parsed


def take_parts[R](records: list[R]) -> Iterator[list[R]]:
    """Empty a list, yielding as many records at a time as fit into a turn."""
    while records:
        part = records[:_RECORDS_PER_TURN]
        del records[:_RECORDS_PER_TURN]
        yield part
