"""Tests of the options of `scripts/demo`."""

import pytest

from .options import parse_arguments


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("--port 99999", "--port must be between 0 and 65535"),
        ("--controller-port -1", "--controller-port must be between 0 and 65535"),
        ("--port 5000 --controller-port 5000", "must differ"),
        ("--seconds -5", "--seconds must be greater than 0"),
        ("--seconds nan", "--seconds must be greater than 0"),
        ("--people 0", "--people must be at least 1"),
        ("--speed 0", "--speed must be greater than 0"),
        ("--sites 0", "--sites must be between 1 and 20"),
    ],
)
def test_demo_options_reject_invalid_values_with_a_reason(
    arguments: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse_arguments(arguments.split())
    assert reason in capsys.readouterr().err


def test_demo_options_accept_port_0_twice() -> None:
    options = parse_arguments(["--port", "0", "--controller-port", "0"])
    assert (options.port, options.controller_port) == (0, 0)
