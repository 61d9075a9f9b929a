"""What the fault tests share."""

import pytest

from .clock import VirtualTime


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> VirtualTime:
    """Let time jump over all waiting until the end of the test."""
    return VirtualTime(monkeypatch)
