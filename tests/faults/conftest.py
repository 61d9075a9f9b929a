"""Fixtures of the fault tests."""

import pytest

from .clock import VirtualTime


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> VirtualTime:
    """Return virtual time, which skips over all waiting until the end of the test."""
    return VirtualTime(monkeypatch)
