"""A log handler that collects the records of the whole suite that contain a secret."""

from collections.abc import Iterator
from contextlib import contextmanager
import logging
from typing import Any, override

import pytest

from tests.controller import PLANTED_SECRETS, SimulatedController
from tests.controller.records import SYSINFO_SECRETS, WLAN_SECRETS
from tests.controller.sessions import Session, Sessions

# Secrets of every test: the account's password, and the keys in device and system records.
PLANTED = frozenset(
    {
        SimulatedController().password,
        *PLANTED_SECRETS.values(),
        *SYSINFO_SECRETS.values(),
        *WLAN_SECRETS.values(),
    }
)


class SecretWatch(logging.Handler):
    """Checks the records of all loggers, at every enabled level.

    `secrets` are the strings that must not be logged; each session of the simulated controller adds
    its tokens. `leaks` holds the logger and text of each record that contains one.
    """

    def __init__(self) -> None:
        """Start with the secrets of every test."""
        super().__init__()
        self.secrets = set(PLANTED)
        self.leaks: list[str] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = self.format(record)
        except Exception:  # noqa: BLE001 - logging handlers must not raise
            self.handleError(record)
            return
        if any(secret in text for secret in self.secrets):
            self.leaks.append(f"{record.name}: {text}")

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Check log records until the end of the block."""
        open_session = Sessions.open

        def add_tokens(sessions: Sessions, *arguments: Any, **settings: Any) -> Session:
            session = open_session(sessions, *arguments, **settings)
            self.secrets |= {session.token, session.csrf}
            return session

        root = logging.getLogger()
        root.addHandler(self)
        try:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(Sessions, "open", add_tokens)
                yield
        finally:
            root.removeHandler(self)
