"""A JSON object on disk that is read as far as this release understands it."""

from collections.abc import Callable
import logging
import sys
from typing import Any, override

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.storage import Store

_LOGGER = logging.getLogger(__name__)

# Users switch between releases in both directions, and earlier releases refuse a newer major
# version. So it stays 1: new keys are added, existing ones keep their meaning.
_MAJOR_VERSION = 1


class _AnyVersionStore(Store[dict[str, Any]]):
    """A Store that loads the data of every version unchanged."""

    def __init__(self, hass: HomeAssistant, key: str, minor_version: int) -> None:
        super().__init__(
            hass,
            _MAJOR_VERSION,
            key,
            minor_version=minor_version,
            max_readable_version=sys.maxsize,
        )

    @override
    async def _async_migrate_func(
        self, old_major_version: int, old_minor_version: int, old_data: dict[str, Any]
    ) -> dict[str, Any]:
        return old_data


class TolerantStore:
    """A JSON object on disk whose unreadable parts never fail the set-up.

    The owner reads each key with a default for a missing or unusable value. Keys that it does not
    own, such as those of a later release, are kept in the file.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        key: str,
        to_save: Callable[[], dict[str, Any]],
        *,
        is_own_key: Callable[[str], object],
        delay: float = 0.0,
        minor_version: int = 1,
    ) -> None:
        """Name the file by `key`; nothing is read yet.

        `to_save` returns the owner's keys and values. A scheduled save is written after `delay`
        seconds. Raise `minor_version` whenever the owner gets a new key.
        """
        self._to_save = to_save
        self._is_own_key = is_own_key
        self._delay = delay
        self._store = _AnyVersionStore(hass, key, minor_version)
        self._other_keys: dict[str, Any] = {}
        self._is_save_scheduled = False

    async def async_load(self) -> dict[str, Any]:
        """Return the saved object, an empty one if there is none or it is unreadable."""
        try:
            saved: object = await self._store.async_load()
        except Exception as err:  # noqa: BLE001 - a site works without its files, whatever is wrong
            _LOGGER.warning("Cannot read %s, starting without it: %r", self._store.path, err)
            return {}
        if saved is None:
            return {}
        if not isinstance(saved, dict):
            _LOGGER.warning("Cannot read %s, starting without it: no object", self._store.path)
            return {}
        self._other_keys = {key: saved[key] for key in saved if not self._is_own_key(key)}
        return saved

    @callback
    def async_schedule_save(self) -> None:
        """Save after the delay, counted from the first change since the last save."""
        # Re-arming the delayed save on every change would postpone it indefinitely.
        if not self._is_save_scheduled:
            self._is_save_scheduled = True
            self._store.async_delay_save(self._content, self._delay)

    async def async_save_scheduled(self) -> None:
        """Save now if a save is scheduled."""
        if self._is_save_scheduled:
            await self.async_save()

    async def async_save(self) -> None:
        """Save now."""
        await self._store.async_save(self._content())

    async def async_remove(self) -> None:
        """Delete the file."""
        await self._store.async_remove()

    def _content(self) -> dict[str, Any]:
        self._is_save_scheduled = False
        return {**self._other_keys, **self._to_save()}


async def async_remove_store(hass: HomeAssistant, key: str) -> None:
    """Delete the file that a store of this key uses."""
    await _AnyVersionStore(hass, key, 1).async_remove()


def dict_or_empty(value: object) -> dict[str, Any]:
    """Return a saved value that should be an object, an empty one for any other type."""
    return value if isinstance(value, dict) else {}


def list_or_empty(value: object) -> list[Any]:
    """Return a saved value that should be a list, an empty one for any other type."""
    return value if isinstance(value, list) else []
