"""Who wants to know about what: a change reaches those it concerns without asking the others."""

from collections.abc import Iterable
import logging

from homeassistant.core import CALLBACK_TYPE, callback

_LOGGER = logging.getLogger(__name__)


class KeyedListeners:
    """Callbacks by key, so that a call costs the same however many other keys there are."""

    def __init__(self) -> None:
        """Start without any."""
        # Tuples, so that one may leave while they are called.
        self._callbacks: dict[str, tuple[CALLBACK_TYPE, ...]] = {}

    @callback
    def async_add(self, key: str, update_callback: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Have a callback called for a key; return what ends that."""
        self._callbacks[key] = (*self._callbacks.get(key, ()), update_callback)

        @callback
        def remove() -> None:
            others = tuple(one for one in self._callbacks[key] if one is not update_callback)
            if others:
                self._callbacks[key] = others
            else:
                del self._callbacks[key]

        return remove

    @callback
    def async_notify_key(self, key: str) -> None:
        """Call what listens to a key; one that fails does not keep the others from it."""
        for update_callback in self._callbacks.get(key, ()):
            try:
                update_callback()
            except Exception:
                _LOGGER.exception("Unexpected error while updating what is shown of %s", key)

    @callback
    def async_notify(self, keys: Iterable[str]) -> None:
        """Call what listens to any of the keys."""
        for key in keys:
            self.async_notify_key(key)

    @callback
    def async_notify_all(self) -> None:
        """Call all there is."""
        self.async_notify(list(self._callbacks))


class SiteListeners:
    """Who shows something of a site: of a client or an access point by its MAC, or of it all.

    A client's signal changes with nearly every record: only `signals` are called for that alone.
    """

    def __init__(self) -> None:
        """Start without any."""
        self.clients = KeyedListeners()
        self.signals = KeyedListeners()
        self.access_points = KeyedListeners()
        self._site = KeyedListeners()

    @callback
    def async_add_site_listener(self, update_callback: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Have a callback called when the site's numbers or its stream may have changed."""
        return self._site.async_add("", update_callback)

    @callback
    def async_notify_site(self) -> None:
        """Call those who show something of the whole site."""
        self._site.async_notify_all()
