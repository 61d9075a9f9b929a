"""Listeners and timers: which callbacks are called, and when."""

from homeassistant.core import HomeAssistant
import pytest

from custom_components.unifi_scanner.site.listeners import KeyedListeners
from custom_components.unifi_scanner.site.timers import Timers
from tests.home import until


def test_listeners_of_a_key_are_called_and_no_others() -> None:
    listeners = KeyedListeners()
    calls: list[str] = []
    remove = listeners.async_add("a", lambda: calls.append("a1"))
    listeners.async_add("a", lambda: calls.append("a2"))
    listeners.async_add("b", lambda: calls.append("b"))
    listeners.async_notify_key("a")
    assert calls == ["a1", "a2"]
    remove()
    listeners.async_notify(["a", "nobody"])
    assert calls == ["a1", "a2", "a2"]
    listeners.async_notify_all()
    assert calls == ["a1", "a2", "a2", "a2", "b"]


def test_listener_that_raises_does_not_affect_the_others(caplog: pytest.LogCaptureFixture) -> None:
    listeners = KeyedListeners()
    calls: list[str] = []
    listeners.async_add("a", calls.pop)
    listeners.async_add("a", lambda: calls.append("a2"))
    listeners.async_notify_key("a")
    assert calls == ["a2"]
    assert "Unexpected error in a listener for a" in caplog.text


def test_listener_may_unsubscribe_while_it_is_called() -> None:
    listeners = KeyedListeners()
    calls: list[str] = []

    def unsubscribe() -> None:
        calls.append("unsubscribed")
        remove()

    remove = listeners.async_add("a", unsubscribe)
    listeners.async_add("a", lambda: calls.append("stayed"))
    listeners.async_notify_key("a")
    listeners.async_notify_key("a")
    assert calls == ["unsubscribed", "stayed", "stayed"]


async def test_timer_runs_once_and_can_be_set_again(hass: HomeAssistant) -> None:
    timers = Timers(hass)
    calls: list[str] = []
    timers.async_set("t", 0.0, lambda: calls.append("first"))
    timers.async_set("t", 0.0, lambda: calls.append("second"))
    await until(lambda: calls)
    timers.async_set("t", -5.0, lambda: calls.append("third"))
    await until(lambda: len(calls) == 2)
    assert calls == ["first", "third"]


async def test_timer_does_not_run_after_it_was_cancelled_or_closed(hass: HomeAssistant) -> None:
    timers = Timers(hass)
    calls: list[str] = []
    timers.async_set("a", 0.0, lambda: calls.append("a"))
    timers.async_cancel("a")
    timers.async_cancel("never set")
    timers.async_set("b", 0.0, lambda: calls.append("b"))
    timers.async_close()
    timers.async_set("c", 0.0, lambda: calls.append("c"))
    timers.async_set("d", 0.0, lambda: calls.append("d"))
    await hass.async_block_till_done()
    assert calls == []
