"""One login session per controller and account, shared by the config entries of its sites."""

import asyncio
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntry,
    ConfigEntryChange,
)
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.singleton import singleton
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from ..issues.account import async_delete_outdated_account_issues
from ..issues.certificate import async_delete_outdated_certificate_issues
from .connection import async_ssl_context
from .login_budget import LoginBudget
from .session import ControllerSession, SessionKey


@dataclass(slots=True, kw_only=True)
class SessionPool:
    """All open sessions, and the login budget, which outlives them."""

    budget: LoginBudget
    sessions: dict[SessionKey, ControllerSession] = field(default_factory=dict)


_SESSION_POOL: HassKey[SessionPool] = HassKey(f"{DOMAIN}_sessions")


async def async_acquire_session(hass: HomeAssistant, data: Mapping[str, Any]) -> ControllerSession:
    """Return the session for a config entry's data; each caller has to release it once."""
    key = SessionKey.of(data)
    certificate = b64decode(key.certificate) if key.certificate else None
    context = await async_ssl_context(hass, key.ssl, certificate)
    pool = await _async_session_pool(hass)
    if (session := pool.sessions.get(key)) is None:
        session = pool.sessions[key] = ControllerSession(
            hass, key, context, pool.budget, partial(async_close_unused_sessions, hass)
        )
    session.users += 1
    return session


async def async_close_unused_sessions(hass: HomeAssistant) -> None:
    """Close all sessions without a user that no enabled config entry needs; save the budget."""
    needed = {
        SessionKey.of(entry.data)
        for entry in hass.config_entries.async_entries(
            DOMAIN, include_ignore=False, include_disabled=False
        )
    }
    pool = await _async_session_pool(hass)
    sessions = pool.sessions
    unneeded = [key for key, session in sessions.items() if not session.users and key not in needed]
    for session in [sessions.pop(key) for key in unneeded]:
        await session.async_close()
    await pool.budget.async_save()


@singleton(_SESSION_POOL, async_=True)
async def _async_session_pool(hass: HomeAssistant) -> SessionPool:
    pool = SessionPool(budget=LoginBudget(hass))
    await pool.budget.async_load()

    async def async_close_all(_event: Event) -> None:
        sessions = list(pool.sessions.values())
        pool.sessions.clear()
        await asyncio.gather(*(session.async_close() for session in sessions))

    @callback
    def async_tidy_issues(_change: ConfigEntryChange, entry: ConfigEntry) -> None:
        if entry.domain == DOMAIN:
            async_delete_outdated_certificate_issues(hass)
            async_delete_outdated_account_issues(hass)

    # Entries stop their streams before this event; connections still work during it.
    hass.bus.async_listen_once(EVENT_HOMEASSISTANT_FINAL_WRITE, async_close_all)
    # Home Assistant does not call the integration when an entry whose setup failed is disabled.
    async_dispatcher_connect(hass, SIGNAL_CONFIG_ENTRY_CHANGED, async_tidy_issues)
    return pool
