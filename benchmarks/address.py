"""Where a controller listens; a module of its own, as it comes first in fresh processes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A port of loopback, and who may ask there; `session` is the value of the cookie."""

    port: int
    site_id: str
    username: str
    password: str
    session: str
