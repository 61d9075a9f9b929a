"""A controller's address, in a module that freshly started processes can import cheaply."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A loopback port and its credentials; `session` is the value of the session cookie."""

    port: int
    site_id: str
    username: str
    password: str
    session: str
