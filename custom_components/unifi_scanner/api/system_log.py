"""The v2 system log, available from Network 10 on (docs/protocol.md 4)."""

from collections.abc import Generator
from dataclasses import dataclass

from .errors import UnexpectedResponseError
from .parsing import as_integer, as_text, as_time
from .records import EventRecord, parse_log_row
from .responses import Response, check_v2_response
from .turns import parse_records

_PAGE_SIZE = 200
# A site with 5,000 clients that roam every few minutes writes so many rows in about an hour.
_MAX_ROWS = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """A row about a WiFi client; `id` identifies it when it is read again."""

    id: str | None
    event: EventRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientLog:
    """The rows about WiFi clients in a time range, newest first.

    `unread` is the number of older rows of any kind that were not read, at least 1 if there are an
    unknown number of them.
    """

    rows: list[LogRow]
    unread: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """One page: its rows about WiFi clients, newest first, and what it says about other pages.

    `size` is the number of rows of any kind and `oldest` the time of the last one, POSIX seconds on
    the controller's clock. `pages` and `total` count all pages and all rows. None is unknown.
    """

    rows: list[LogRow]
    size: int
    oldest: float | None
    pages: int | None
    total: int | None


class LogPages:
    """Collects the pages of a time range until it is complete or too large."""

    def __init__(self, since: float) -> None:
        """Start without pages of a range that begins at this POSIX time."""
        self.count = 0
        self.is_finished = False
        self._since = since
        self._rows: list[LogRow] = []
        self._ids: set[str | None] = set()
        self._size = 0
        self._unread = 1

    def add(self, page: LogPage) -> None:
        """Add the next page."""
        ids = {row.id for row in page.rows if row.id is not None}
        # Without this, a controller that ignores page numbers would be read over and over.
        is_repeated = bool(ids) and ids <= self._ids
        self.count += 1
        self._size += page.size
        self._ids |= ids
        self._rows += page.rows
        self._unread = 1 if page.total is None else max(1, page.total - self._size)
        if (
            not page.size
            or is_repeated
            or (page.pages is not None and self.count >= page.pages)
            or (page.oldest is not None and page.oldest < self._since)
        ):
            self._unread = 0
        self.is_finished = self._unread == 0 or self._size >= _MAX_ROWS

    def log(self) -> ClientLog:
        """Return the rows read so far."""
        return ClientLog(rows=self._rows, unread=self._unread)


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


def log_page(response: Response, received: float) -> Generator[None, None, LogPage]:
    """Parse a page of the system log in turns; `received` is POSIX seconds on our clock.

    Raises NotSupportedError, SessionExpiredError, RateLimitedError, ControllerStartingError or
    UnexpectedResponseError.
    """
    check_v2_response(response)
    document = response.document
    rows = document.get("data") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(rows, list):
        raise UnexpectedResponseError("The response is not a page of the system log")
    size, last = len(rows), rows[-1] if rows else None

    def parse(row: object) -> LogRow | None:
        if not isinstance(row, dict) or (event := parse_log_row(row, received)) is None:
            return None
        return LogRow(id=as_text(row.get("id")), event=event)

    return LogPage(
        rows=(yield from parse_records(rows, parse)),
        size=size,
        oldest=as_time(last.get("timestamp")) if isinstance(last, dict) else None,
        pages=as_integer(document.get("total_page_count"), 0, 2**53),
        total=as_integer(document.get("total_element_count"), 0, 2**53),
    )
