"""Pseudonyms for personal data, the same for every occurrence within one recording."""

from hashlib import blake2b
from secrets import token_bytes

from ..api.parsing import as_ssid, as_text, normalise_mac

# Bits of a MAC address's first octet: multicast, and locally administered (randomised).
_FLAGS = 0b11


class Pseudonyms:
    """The pseudonyms of one recorder, derived with a secret key that never leaves it.

    All methods take raw texts from the controller and return texts that the parser treats the same
    way: a MAC address stays a MAC address, an empty name stays empty.
    """

    def __init__(self) -> None:
        """Generate a key."""
        self._key = token_bytes(32)

    def mac(self, value: str) -> str | None:
        """Return another MAC address, randomised if the original is; None for an invalid one."""
        if (mac := normalise_mac(value)) is None:
            return None
        digest = self._digest("mac", mac, 6)
        first = digest[0] & ~_FLAGS | int(mac[:2], 16) & _FLAGS
        return bytes((first, *digest[1:])).hex(":")

    def name(self, value: str) -> str:
        """Return another name; a MAC address is replaced as one, an empty name stays empty."""
        if (name := as_text(value)) is None:
            return ""
        # The MAC address serves as the name of a client without one.
        if name == normalise_mac(name) and (mac := self.mac(name)) is not None:
            return mac
        return f"name-{self._digest('name', name, 4).hex()}"

    def ssid(self, value: str) -> str:
        """Return another SSID; that of a hidden network stays empty."""
        ssid = as_ssid(value)
        return "" if ssid is None else f"ssid-{self._digest('ssid', ssid, 4).hex()}"

    def _digest(self, kind: str, value: str, size: int) -> bytes:
        encoded = value.encode("utf-8", "surrogatepass")
        return blake2b(encoded, digest_size=size, key=self._key, person=kind.encode()).digest()
