"""Parse JSON even if some of its text is damaged.

Controllers pass on the host names that clients choose, and some do so without checking them: bytes
that are not UTF-8, half of a surrogate pair, or raw control characters. A strict parser rejects the
whole document for one such name.
"""

import re
from typing import Any

import orjson

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}".encode()
_CONTROLS_TO_SPACES = bytes.maketrans(bytes(range(0x20)), b" " * 0x20)
_ESCAPED_BACKSLASH = rb"\\"
# Stands for an escaped backslash, so that any other backslash begins an escape.
_PLACEHOLDER = b"\0\0"
_HIGH, _LOW = rb"u[dD][89abAB][0-9a-fA-F]{2}", rb"u[dD][c-fC-F][0-9a-fA-F]{2}"
_INVALID_ESCAPE = re.compile(
    rb"\\(?:%b(?!\\%b)|(?<!\\%b\\)%b|(?![\"/bfnrt]|u[0-9a-fA-F]{4}))" % (_HIGH, _LOW, _HIGH, _LOW)
)


def load_json(raw: bytes | bytearray) -> Any:  # noqa: ANN401 - as `orjson.loads`
    """Return a document like `orjson.loads`, with damaged characters replaced.

    Raises orjson.JSONDecodeError if it is not JSON even then.
    """
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        repaired = _repaired(raw)
        if repaired == raw:
            raise
    return orjson.loads(repaired)


def _repaired(raw: bytes | bytearray) -> bytes | bytearray:
    """Return JSON with U+FFFD for what is no character, and spaces for control characters."""
    text = raw if raw.isascii() else raw.decode("utf-8", "replace").encode()
    text = text.translate(_CONTROLS_TO_SPACES).replace(_ESCAPED_BACKSLASH, _PLACEHOLDER)
    return _INVALID_ESCAPE.sub(_REPLACEMENT, text).replace(_PLACEHOLDER, _ESCAPED_BACKSLASH)
