"""The clients' timelines, saved so that a restart neither loses nor repeats an event."""

from collections.abc import Callable
from typing import Any

from homeassistant.core import HomeAssistant, callback

from ..const import DOMAIN
from .store import TolerantStore, async_remove_store

# What a crash may lose; more often is not worth the wear of an SD card.
_SAVE_DELAY = 300.0  # seconds
_KEYS = frozenset({"heard", "clients"})


def _key(entry_id: str) -> str:
    return f"{DOMAIN}.{entry_id}.timelines"


async def async_remove_timelines(hass: HomeAssistant, entry_id: str) -> None:
    """Delete the saved timelines of an entry that is removed."""
    await async_remove_store(hass, _key(entry_id))


class SavedTimelines:
    """What a site's roam tracker knows, on disk; `to_save` is the tracker's `save`."""

    def __init__(
        self, hass: HomeAssistant, entry_id: str, to_save: Callable[[], dict[str, Any]]
    ) -> None:
        """Prepare; nothing is read yet."""
        self._store = TolerantStore(
            hass, _key(entry_id), to_save, is_own_key=_KEYS.__contains__, delay=_SAVE_DELAY
        )

    async def async_load(self) -> dict[str, Any]:
        """Return what was saved, an empty object if there is none or it is unreadable."""
        return await self._store.async_load()

    @callback
    def async_schedule_save(self) -> None:
        """Save within some minutes."""
        self._store.async_schedule_save()

    async def async_save(self) -> None:
        """Save now."""
        await self._store.async_save()
