"""Run the soak: `scripts/soak --help`."""

from . import clock

clock.install()
clock.install_in_home_assistant()

from .command import main  # noqa: E402 - whatever asks for the time comes after the clock

if __name__ == "__main__":
    raise SystemExit(main())
