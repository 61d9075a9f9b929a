"""The v2 system log, available from Network 10 on (docs/protocol.md 4)."""

from dataclasses import dataclass

from .errors import UnexpectedResponseError
from .parsing import as_text
from .records import EventRecord, parse_log_row
from .responses import Response, check_v2_response

_PAGE_SIZE = 200
# 4000 rows cover any gap that is worth backfilling in full.
MAX_PAGES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """A row about a WiFi client; `id` identifies it when it is read again."""

    id: str | None
    event: EventRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """The rows of one page that are about WiFi clients, and whether it is the last page."""

    rows: tuple[LogRow, ...]
    is_last: bool


def log_query(since: float, until: float, page: int) -> dict[str, int]:
    """Return the request body for one page, counted from 0, between two POSIX times.

    The body names no categories: a version answers 400 to one that it does not know.
    """
    return {
        "timestampFrom": int(since * 1000),
        "timestampTo": int(until * 1000),
        "pageNumber": page,
        "pageSize": _PAGE_SIZE,
    }


def parse_log_page(response: Response, number: int, received: float) -> LogPage:
    """Return page `number` of the system log; `received` is POSIX seconds.

    Raises NotSupportedError, SessionExpiredError, RateLimitedError, ControllerStartingError or
    UnexpectedResponseError.
    """
    check_v2_response(response)
    document = response.document
    rows = document.get("data") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(rows, list):
        raise UnexpectedResponseError("The response is not a page of the system log")
    pages = document.get("total_page_count")
    return LogPage(
        rows=tuple(
            LogRow(id=as_text(row.get("id")), event=event)
            for row in rows
            if isinstance(row, dict) and (event := parse_log_row(row, received)) is not None
        ),
        is_last=not rows or number + 1 >= (pages if isinstance(pages, int) else MAX_PAGES),
    )
