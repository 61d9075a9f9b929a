"""Sees every form, issue and error that a test brings about, and which of their texts are missing.

What users read is named by keys; one that has no text shows as the key itself, and a placeholder
that nobody fills shows as an error. No test would notice either. Other languages have the same keys
and placeholders as English (tests/contracts).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from homeassistant.components.repairs import RepairsFlow
from homeassistant.config_entries import ConfigEntriesFlowManager, OptionsFlowManager
from homeassistant.data_entry_flow import FlowHandler, FlowManager, FlowResultType, section
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
import probatio
import pytest

from custom_components.unifi_scanner.const import DOMAIN
from tests.contracts.files import TEXTS, placeholders

# Home Assistant knows these itself.
_OF_HOME_ASSISTANT = {"reauth_successful", "reconfigure_successful"}


class TextWatch:
    """Compares what is shown with the texts; `missing` names those that are not there."""

    def __init__(self) -> None:
        """Begin with nothing shown."""
        self.missing: list[str] = []

    def expect(self, path: str, filled: Mapping[str, Any] | None) -> None:
        """Expect a text of that path, its parts joined by slashes, and its placeholders filled."""
        text: object = TEXTS
        for part in path.split("/"):
            text = text.get(part) if isinstance(text, dict) else None
        if not isinstance(text, str):
            self.missing.append(path)
        elif unfilled := placeholders(text) - set(filled or ()):
            self.missing.append(f"{path} lacks {', '.join(sorted(unfilled))}")

    def see_flow(self, place: str, result: Mapping[str, Any]) -> None:
        """Take a form, a menu or an end of a flow, whose texts are at `place`."""
        filled = result.get("description_placeholders")
        if result["type"] is FlowResultType.ABORT:
            self.expect(f"{place}/abort/{result['reason']}", filled)
            return
        if result["type"] not in {FlowResultType.FORM, FlowResultType.MENU}:
            return
        step = f"{place}/step/{result['step_id']}"
        self.expect(f"{step}/title", filled)
        self.expect(f"{step}/description", filled)
        if result["type"] is FlowResultType.MENU:
            for option in result["menu_options"]:
                self.expect(f"{step}/menu_options/{option}", filled)
            return
        for error in (result.get("errors") or {}).values():
            self.expect(f"{place}/error/{error}", filled)
        schema = result.get("data_schema")
        self._see_fields(step, schema.schema if schema else {}, filled)

    def _see_fields(
        self, step: str, fields: Mapping[object, object], filled: Mapping[str, Any] | None
    ) -> None:
        for field, selector in fields.items():
            name = str(field.schema if isinstance(field, probatio.Marker) else field)
            if isinstance(selector, section):
                inner = f"{step}/sections/{name}"
                self.expect(f"{inner}/name", filled)
                self._see_fields(inner, selector.schema.schema, filled)
                continue
            self.expect(f"{step}/data/{name}", filled)
            self.expect(f"{step}/data_description/{name}", filled)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch until the end of the block."""
        handle_step = FlowManager._async_handle_step
        create_issue = ir.IssueRegistry.async_get_or_create
        begin_error = HomeAssistantError.__init__

        async def see_step(
            manager: FlowManager[Any, Any, Any], flow: FlowHandler[Any, Any, Any], *given: object
        ) -> object:
            result = await handle_step(manager, flow, *given)
            if (place := _place_of(manager, flow)) and (
                result.get("reason") not in _OF_HOME_ASSISTANT
            ):
                self.see_flow(place, result)
            # The card of a flow that waits for somebody; without any words it is named by its kind.
            if place == "config" and (words := flow.context.get("title_placeholders")):
                self.expect("config/flow_title", words)
            return result

        def see_issue(
            registry: ir.IssueRegistry, domain: str, issue_id: str, **settings: Any
        ) -> object:
            if domain == DOMAIN:
                place = f"issues/{settings['translation_key']}"
                filled = settings.get("translation_placeholders")
                self.expect(f"{place}/title", filled)
                if not settings["is_fixable"]:
                    self.expect(f"{place}/description", filled)
            return create_issue(registry, domain, issue_id, **settings)

        def see_error(error: HomeAssistantError, *given: object, **settings: Any) -> None:
            begin_error(error, *given, **settings)
            if error.translation_domain == DOMAIN:
                path = f"exceptions/{error.translation_key}/message"
                self.expect(path, error.translation_placeholders)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(FlowManager, "_async_handle_step", see_step)
            patch.setattr(ir.IssueRegistry, "async_get_or_create", see_issue)
            patch.setattr(HomeAssistantError, "__init__", see_error)
            yield


def _place_of(manager: FlowManager[Any, Any, Any], flow: FlowHandler[Any, Any, Any]) -> str | None:
    """Return where the texts of a flow are, None when it is not one of ours."""
    if isinstance(manager, ConfigEntriesFlowManager):
        return "config" if flow.handler == DOMAIN else None
    if isinstance(manager, OptionsFlowManager):
        entry = manager.hass.config_entries.async_get_known_entry(flow.handler)
        return "options" if entry.domain == DOMAIN else None
    if isinstance(flow, RepairsFlow) and flow.handler == DOMAIN:
        issue = ir.async_get(manager.hass).async_get_issue(DOMAIN, flow.issue_id)
        return f"issues/{issue.translation_key}/fix_flow" if issue else None
    return None
