"""Per-key listeners, so a change only notifies the entities it affects."""

from collections.abc import Iterable
import logging

from homeassistant.core import CALLBACK_TYPE, callback

_LOGGER = logging.getLogger(__name__)


class KeyedListeners:
    """Callbacks by key. The cost of a notification does not depend on the other keys."""

    def __init__(self) -> None:
        """Start without listeners."""
        # Tuples, so that a listener may unsubscribe while it is called.
        self._callbacks: dict[str, tuple[CALLBACK_TYPE, ...]] = {}

    @callback
    def async_add(self, key: str, update_callback: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Add a listener for a key; return a callback that unsubscribes."""
        self._callbacks[key] = (*self._callbacks.get(key, ()), update_callback)

        @callback
        def remove() -> None:
            others = tuple(each for each in self._callbacks[key] if each is not update_callback)
            if others:
                self._callbacks[key] = others
            else:
                del self._callbacks[key]

        return remove

    @callback
    def async_notify_key(self, key: str) -> None:
        """Call the listeners of a key; an error in one is logged and does not affect the others."""
        for update_callback in self._callbacks.get(key, ()):
            try:
                update_callback()
            except Exception:
                _LOGGER.exception("Unexpected error in a listener for %s", key)

    @callback
    def async_notify(self, keys: Iterable[str]) -> None:
        """Call the listeners of several keys."""
        for key in keys:
            self.async_notify_key(key)

    @callback
    def async_notify_all(self) -> None:
        """Call the listeners of all keys."""
        self.async_notify(list(self._callbacks))


class SiteListeners:
    """The listeners of a site's entities: by the MAC of a client or an access point, or site-wide.

    A client's signal changes with nearly every record, so its changes only notify `signals`.
    """

    def __init__(self) -> None:
        """Start without listeners."""
        self.clients = KeyedListeners()
        self.signals = KeyedListeners()
        self.access_points = KeyedListeners()
        self._site = KeyedListeners()

    @callback
    def async_add_site_listener(self, update_callback: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Add a listener for the site's totals and its stream; return one that unsubscribes."""
        return self._site.async_add("site", update_callback)

    @callback
    def async_notify_site(self) -> None:
        """Call the site-wide listeners."""
        self._site.async_notify_all()
