"""Checks that every form, issue and error that a test produces has its translations.

A missing text is displayed as its key, and a placeholder without a value as an error; otherwise no
test would notice. Only English is checked here: tests/contracts ensure that the other languages
have the same keys and placeholders.
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

# Home Assistant has its own texts for these.
_CORE_ABORT_REASONS = {"reauth_successful", "reconfigure_successful"}


class TextWatch:
    """Looks up the text of all that is displayed; `missing` lists what was not found."""

    def __init__(self) -> None:
        """Start without missing texts."""
        self.missing: list[str] = []

    def expect(self, path: str, filled: Mapping[str, Any] | None) -> None:
        """Require a text at a path, joined by slashes, with a value for each placeholder."""
        text: object = TEXTS
        for part in path.split("/"):
            text = text.get(part) if isinstance(text, dict) else None
        if not isinstance(text, str):
            self.missing.append(path)
        elif unfilled := placeholders(text) - set(filled or ()):
            self.missing.append(f"{path} lacks {', '.join(sorted(unfilled))}")

    def check_flow(self, prefix: str, result: Mapping[str, Any]) -> None:
        """Check a form, a menu or the end of a flow, whose texts are below `prefix`."""
        filled = result.get("description_placeholders")
        if result["type"] is FlowResultType.ABORT:
            self.expect(f"{prefix}/abort/{result['reason']}", filled)
            return
        if result["type"] not in {FlowResultType.FORM, FlowResultType.MENU}:
            return
        step = f"{prefix}/step/{result['step_id']}"
        self.expect(f"{step}/title", filled)
        self.expect(f"{step}/description", filled)
        if result["type"] is FlowResultType.MENU:
            for option in result["menu_options"]:
                self.expect(f"{step}/menu_options/{option}", filled)
            return
        for error in (result.get("errors") or {}).values():
            self.expect(f"{prefix}/error/{error}", filled)
        schema = result.get("data_schema")
        self._check_fields(step, schema.schema if schema else {}, filled)

    def _check_fields(
        self, step: str, fields: Mapping[object, object], filled: Mapping[str, Any] | None
    ) -> None:
        for field, selector in fields.items():
            name = str(field.schema if isinstance(field, probatio.Marker) else field)
            if isinstance(selector, section):
                inner = f"{step}/sections/{name}"
                self.expect(f"{inner}/name", filled)
                self._check_fields(inner, selector.schema.schema, filled)
                continue
            self.expect(f"{step}/data/{name}", filled)
            self.expect(f"{step}/data_description/{name}", filled)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Check everything displayed until the end of the block."""
        handle_step = FlowManager._async_handle_step
        create_issue = ir.IssueRegistry.async_get_or_create
        init_error = HomeAssistantError.__init__

        async def check_step(
            manager: FlowManager[Any, Any, Any], flow: FlowHandler[Any, Any, Any], *given: object
        ) -> object:
            result = await handle_step(manager, flow, *given)
            if (prefix := _text_prefix(manager, flow)) and (
                result.get("reason") not in _CORE_ABORT_REASONS
            ):
                self.check_flow(prefix, result)
            # The title of a flow in progress; without placeholders it shows the integration's name.
            if prefix == "config" and (title := flow.context.get("title_placeholders")):
                self.expect("config/flow_title", title)
            return result

        def check_issue(
            registry: ir.IssueRegistry, domain: str, issue_id: str, **settings: Any
        ) -> object:
            if domain == DOMAIN:
                path = f"issues/{settings['translation_key']}"
                filled = settings.get("translation_placeholders")
                self.expect(f"{path}/title", filled)
                if not settings["is_fixable"]:
                    self.expect(f"{path}/description", filled)
            return create_issue(registry, domain, issue_id, **settings)

        def check_error(error: HomeAssistantError, *given: object, **settings: Any) -> None:
            init_error(error, *given, **settings)
            if error.translation_domain == DOMAIN:
                path = f"exceptions/{error.translation_key}/message"
                self.expect(path, error.translation_placeholders)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(FlowManager, "_async_handle_step", check_step)
            patch.setattr(ir.IssueRegistry, "async_get_or_create", check_issue)
            patch.setattr(HomeAssistantError, "__init__", check_error)
            yield


def _text_prefix(
    manager: FlowManager[Any, Any, Any], flow: FlowHandler[Any, Any, Any]
) -> str | None:
    """Return the path of a flow's texts, None if the flow is not ours."""
    if isinstance(manager, ConfigEntriesFlowManager):
        return "config" if flow.handler == DOMAIN else None
    if isinstance(manager, OptionsFlowManager):
        entry = manager.hass.config_entries.async_get_known_entry(flow.handler)
        return "options" if entry.domain == DOMAIN else None
    if isinstance(flow, RepairsFlow) and flow.handler == DOMAIN:
        issue = ir.async_get(manager.hass).async_get_issue(DOMAIN, flow.issue_id)
        return f"issues/{issue.translation_key}/fix_flow" if issue else None
    return None
