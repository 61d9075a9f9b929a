"""Reads every log record of the suite and remembers those that tell a secret."""

from collections.abc import Iterator
from contextlib import contextmanager
import logging
from typing import Any, override

import pytest

from tests.controller import PLANTED_SECRETS, SimulatedController
from tests.controller.records import SYSINFO_SECRETS
from tests.controller.sessions import Session, Sessions

# What is secret in every test: the account's password, and the keys inside device records.
PLANTED = frozenset(
    {SimulatedController().password, *PLANTED_SECRETS.values(), *SYSINFO_SECRETS.values()}
)


class SecretWatch(logging.Handler):
    """Takes the records of all loggers, at every level that is on.

    `secrets` is what must not be told; the simulated controller's sessions add to it as they begin.
    `told` names the logger and the text where it was.
    """

    def __init__(self) -> None:
        """Begin with what is planted everywhere."""
        super().__init__()
        self.secrets = set(PLANTED)
        self.told: list[str] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = self.format(record)
        except Exception:  # noqa: BLE001 - as every handler: what cannot be formatted is not ours
            self.handleError(record)
            return
        if any(secret in text for secret in self.secrets):
            self.told.append(f"{record.name}: {text}")

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch until the end of the block."""
        open_session = Sessions.open

        def remember(sessions: Sessions, *arguments: Any, **settings: Any) -> Session:
            session = open_session(sessions, *arguments, **settings)
            self.secrets |= {session.token, session.csrf}
            return session

        root = logging.getLogger()
        root.addHandler(self)
        try:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(Sessions, "open", remember)
                yield
        finally:
            root.removeHandler(self)
