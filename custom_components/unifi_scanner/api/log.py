"""Structured logging that ends in the standard library's logger of the module."""

from collections.abc import MutableMapping
import logging
from typing import Any

import structlog

# Frames of structlog between the caller and the standard library's logger.
_FRAMES_BETWEEN = 4


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return a structured logger whose records pass through the logger called `name`.

    Bound to it and not configured globally: Home Assistant's levels, filters and log stay in
    charge, and other users of structlog in the same process are left alone.
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
    return (message,), {"exc_info": exc_info, "stacklevel": _FRAMES_BETWEEN}
