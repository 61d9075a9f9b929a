"""Structured logging ends in the standard library's loggers and changes nothing else."""

import logging
from typing import override

import pytest
import structlog

from custom_components.unifi_scanner.api.log import get_logger

NAME = "custom_components.unifi_scanner.api.some_module"


def test_a_record_is_the_modules_own_with_its_details(caplog: pytest.LogCaptureFixture) -> None:
    get_logger(NAME).warning("The stream is down", reason="closed", code=1006)
    (record,) = caplog.records
    assert (record.name, record.levelno) == (NAME, logging.WARNING)
    assert record.getMessage() == "The stream is down: reason='closed' code=1006"
    assert record.filename == "test_log.py"


def test_a_percent_sign_is_only_text(caplog: pytest.LogCaptureFixture) -> None:
    get_logger(NAME).warning("100 %s", reason="%d")
    assert caplog.records[0].getMessage() == "100 %s: reason='%d'"


class Unprintable:
    """What must not be rendered."""

    @override
    def __repr__(self) -> str:
        pytest.fail("A record that nobody sees was rendered")


def test_the_level_of_the_standard_logger_decides(caplog: pytest.LogCaptureFixture) -> None:
    logger = get_logger(NAME)
    caplog.set_level(logging.INFO, NAME)
    logger.debug("unseen", costly=Unprintable())
    caplog.set_level(logging.DEBUG, NAME)
    logger.debug("seen")
    assert [record.getMessage() for record in caplog.records] == ["seen"]


def test_an_exception_comes_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise KeyError("lost")  # noqa: TRY301 - a traceback is what is wanted
    except KeyError:
        get_logger(NAME).exception("It failed", event_type="x")
    assert "Traceback" in caplog.text
    assert "KeyError: 'lost'" in caplog.text
    assert caplog.records[0].levelno == logging.ERROR


def test_structlog_is_not_configured_for_others() -> None:
    get_logger(NAME).warning("something")
    assert not structlog.is_configured()


def test_a_configuration_by_others_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    structlog.configure(processors=[lambda *_: "swallowed"])
    try:
        get_logger(f"{NAME}.late").warning("Mine", n=1)
    finally:
        structlog.reset_defaults()
    assert caplog.records[0].getMessage() == "Mine: n=1"
