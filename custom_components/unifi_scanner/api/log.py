"""Structured logging through the standard library's loggers.

The owner of this project asked for structlog by name, as they did for the `websockets` library.
"""

from collections.abc import MutableMapping
import logging
from typing import Any

import structlog

# Stack frames of structlog between the caller and the standard library's logger.
_STRUCTLOG_STACK_FRAMES = 4


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return a structured logger that logs through the standard library's logger `name`.

    It is wrapped instead of configured globally: Home Assistant's levels and filters keep
    working, and other users of structlog in the same process are not affected.
    """
    logger: structlog.stdlib.BoundLogger = structlog.wrap_logger(
        logging.getLogger(name),
        processors=[structlog.stdlib.filter_by_level, _render],
        wrapper_class=structlog.stdlib.BoundLogger,
        context_class=dict,
        cache_logger_on_first_use=True,
    )
    return logger


def _render(
    _logger: logging.Logger, _method: str, event: MutableMapping[str, Any]
) -> tuple[tuple[str], dict[str, Any]]:
    text = event.pop("event")
    exc_info = event.pop("exc_info", None)
    details = " ".join(f"{key}={value!r}" for key, value in event.items())
    message = f"{text}: {details}" if details else text
    return (message,), {"exc_info": exc_info, "stacklevel": _STRUCTLOG_STACK_FRAMES}
