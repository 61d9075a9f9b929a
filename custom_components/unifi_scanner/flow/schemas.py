"""Schemas of the forms in the config and options flows."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_SSL, CONF_USERNAME, UnitOfTime
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import probatio

from ..api.records import Site
from ..api.tls import TlsMode
from ..const import (
    CONF_ADD_NEW_CLIENTS,
    CONF_CLIENTS,
    CONF_DISCONNECT_DELAY,
    CONF_LOW_DATA,
    CONF_SETTLING_TIME,
    CONF_SITE,
    CONF_TRACKED_EVENTS_ONLY,
    CONF_VOLATILE_INTERVAL,
    OPTION_DEFAULTS,
)

MAX_DELAY = 300  # seconds

_HOST = TextSelector(TextSelectorConfig(autocomplete="off"))
_USERNAME = TextSelector(TextSelectorConfig(autocomplete="username"))
_PASSWORD = TextSelector(
    TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="current-password")
)
_SSL = SelectSelector(
    SelectSelectorConfig(
        options=[TlsMode.PINNED.value, TlsMode.VERIFY.value, TlsMode.INSECURE.value],
        translation_key=CONF_SSL,
    )
)
_SECONDS = NumberSelector(
    NumberSelectorConfig(
        min=0,
        max=MAX_DELAY,
        step=1,
        unit_of_measurement=UnitOfTime.SECONDS,
        mode=NumberSelectorMode.BOX,
    )
)

USER_SCHEMA = probatio.Schema(
    {
        probatio.Required(CONF_HOST): _HOST,
        probatio.Required(CONF_USERNAME): _USERNAME,
        probatio.Required(probatio.Secret(CONF_PASSWORD)): _PASSWORD,
        probatio.Required(CONF_SSL, default=TlsMode.PINNED.value): _SSL,
    }
)
RECONFIGURE_SCHEMA = probatio.Schema(
    {
        probatio.Required(CONF_HOST): _HOST,
        probatio.Required(CONF_USERNAME): _USERNAME,
        probatio.Optional(probatio.Secret(CONF_PASSWORD)): _PASSWORD,
        probatio.Required(CONF_SSL): _SSL,
    }
)
REAUTH_SCHEMA = probatio.Schema({probatio.Required(probatio.Secret(CONF_PASSWORD)): _PASSWORD})


def site_schema(sites: Iterable[Site]) -> probatio.Schema:
    """Return the form for selecting one of the sites."""
    options = [
        SelectOptionDict(value=site.name, label=site.description)
        for site in sorted(sites, key=lambda site: site.description.casefold())
    ]
    selector = SelectSelector(SelectSelectorConfig(options=options))
    return probatio.Schema({probatio.Required(CONF_SITE, default=options[0]["value"]): selector})


def clients_schema(options: list[SelectOptionDict], selected: Sequence[str]) -> probatio.Schema:
    """Return the form for selecting clients, with some of them (by MAC) preselected."""
    selector = SelectSelector(SelectSelectorConfig(options=options, multiple=True))
    return probatio.Schema(
        {
            probatio.Required(CONF_CLIENTS, default=list(selected)): selector,
            probatio.Required(
                CONF_ADD_NEW_CLIENTS, default=OPTION_DEFAULTS[CONF_ADD_NEW_CLIENTS]
            ): BooleanSelector(),
        }
    )


def options_schema(options: list[SelectOptionDict], values: Mapping[str, Any]) -> probatio.Schema:
    """Return the form for a site's options with their current values.

    A field that is missing from the submitted form keeps its current value.
    """
    selectors = {
        CONF_CLIENTS: SelectSelector(SelectSelectorConfig(options=options, multiple=True)),
        CONF_ADD_NEW_CLIENTS: BooleanSelector(),
        CONF_TRACKED_EVENTS_ONLY: BooleanSelector(),
        CONF_DISCONNECT_DELAY: _SECONDS,
        CONF_SETTLING_TIME: _SECONDS,
        CONF_VOLATILE_INTERVAL: _SECONDS,
        CONF_LOW_DATA: BooleanSelector(),
    }
    return probatio.Schema(
        {
            probatio.Required(name, default=values[name]): selector
            for name, selector in selectors.items()
        }
    )
