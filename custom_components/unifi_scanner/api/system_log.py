"""The v2 system log, which Network has from version 10 on (protocol.md 4)."""

from dataclasses import dataclass

from .errors import UnexpectedAnswerError
from .parsing import as_text
from .records import EventRecord, parse_log_row
from .responses import Answer, check_v2_response

_PAGE_SIZE = 200
# Nobody makes this many rows in an outage that is worth telling all of.
MOST_PAGES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """A row about a WiFi client; `id` is there to know it again."""

    id: str | None
    event: EventRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """One page's rows about WiFi clients, and whether there is no further page."""

    rows: tuple[LogRow, ...]
    last: bool


def log_query(since: float, until: float, page: int) -> dict[str, int]:
    """Return the body that asks for a page, from 0, of what lies between two POSIX times.

    Categories are not asked for: those a version does not know are answered with 400.
    """
    return {
        "timestampFrom": int(since * 1000),
        "timestampTo": int(until * 1000),
        "pageNumber": page,
        "pageSize": _PAGE_SIZE,
    }


def log_page(answer: Answer, number: int, received: float) -> LogPage:
    """Return a page of that number; `received` is POSIX seconds.

    Raises NotSupportedError, SessionExpiredError, RateLimitedError, ControllerStartingError or
    UnexpectedAnswerError.
    """
    check_v2_response(answer)
    document = answer.document
    rows = document.get("data") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(rows, list):
        raise UnexpectedAnswerError("The answer holds no page of the system log")
    pages = document.get("total_page_count")
    return LogPage(
        rows=tuple(
            LogRow(id=as_text(row.get("id")), event=event)
            for row in rows
            if isinstance(row, dict) and (event := parse_log_row(row, received)) is not None
        ),
        last=not rows or number + 1 >= (pages if isinstance(pages, int) else MOST_PAGES),
    )
