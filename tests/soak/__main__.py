"""Run the soak: `scripts/soak --help`."""

from . import clock

clock.install()
clock.install_in_home_assistant()

from .command import main  # noqa: E402 - modules that read the time must load after the clock

if __name__ == "__main__":
    raise SystemExit(main())
