"""Tests that structured logging uses the standard library's loggers and nothing global."""

import logging
from typing import override

import pytest
import structlog

from custom_components.unifi_scanner.api.log import get_logger

NAME = "custom_components.unifi_scanner.api.some_module"


def test_log_record_belongs_to_the_module_and_contains_the_details(
    caplog: pytest.LogCaptureFixture,
) -> None:
    get_logger(NAME).warning("The stream is down", reason="closed", code=1006)
    (record,) = caplog.records
    assert (record.name, record.levelno) == (NAME, logging.WARNING)
    assert record.getMessage() == "The stream is down: reason='closed' code=1006"
    assert record.filename == "test_log.py"


def test_log_message_with_a_percent_sign_is_not_formatted(caplog: pytest.LogCaptureFixture) -> None:
    get_logger(NAME).warning("100 %s", reason="%d")
    assert caplog.records[0].getMessage() == "100 %s: reason='%d'"


class Unprintable:
    """A value that fails the test when it is rendered."""

    @override
    def __repr__(self) -> str:
        pytest.fail("A record below the log level was rendered")


def test_log_level_of_the_standard_logger_applies(caplog: pytest.LogCaptureFixture) -> None:
    logger = get_logger(NAME)
    caplog.set_level(logging.INFO, NAME)
    logger.debug("hidden", costly=Unprintable())
    caplog.set_level(logging.DEBUG, NAME)
    logger.debug("visible")
    assert [record.getMessage() for record in caplog.records] == ["visible"]


def test_log_record_of_an_exception_has_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise KeyError("lost")  # noqa: TRY301 - to get a traceback
    except KeyError:
        get_logger(NAME).exception("It failed", event_type="x")
    assert "Traceback" in caplog.text
    assert "KeyError: 'lost'" in caplog.text
    assert caplog.records[0].levelno == logging.ERROR


def test_structlog_is_not_configured_globally() -> None:
    get_logger(NAME).warning("something")
    assert not structlog.is_configured()


def test_global_structlog_configuration_has_no_effect(caplog: pytest.LogCaptureFixture) -> None:
    structlog.configure(processors=[lambda *_: "swallowed"])
    try:
        get_logger(f"{NAME}.late").warning("Mine", n=1)
    finally:
        structlog.reset_defaults()
    assert caplog.records[0].getMessage() == "Mine: n=1"
