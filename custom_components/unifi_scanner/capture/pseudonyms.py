"""Stand-ins for what is personal: the same thing always has the same one."""

from hashlib import blake2b
from secrets import token_bytes

from ..api.parsing import as_ssid, as_text, normalise_mac

# Says in the first octet of a MAC: for a group, and made up by its owner (a randomised one).
_FLAGS = 0b11


class Pseudonyms:
    """The stand-ins of one recorder; only its key, which never leaves it, makes the same again.

    All methods take texts as the controller sends them, and give what the parser reads in the same
    way: a MAC is one, an empty name is empty.
    """

    def __init__(self) -> None:
        """Make up a key."""
        self._key = token_bytes(32)

    def mac(self, value: str) -> str | None:
        """Return another address, randomised if this one is; None for none."""
        if (mac := normalise_mac(value)) is None:
            return None
        digest = self._digest("mac", mac, 6)
        first = digest[0] & ~_FLAGS | int(mac[:2], 16) & _FLAGS
        return bytes((first, *digest[1:])).hex(":")

    def name(self, value: str) -> str:
        """Return another name, that of an address for one; empty for an empty one."""
        if (name := as_text(value)) is None:
            return ""
        # Who has no name is called by the address.
        if name == normalise_mac(name) and (mac := self.mac(name)) is not None:
            return mac
        return f"name-{self._digest('name', name, 4).hex()}"

    def ssid(self, value: str) -> str:
        """Return another SSID; empty for a hidden one."""
        ssid = as_ssid(value)
        return "" if ssid is None else f"ssid-{self._digest('ssid', ssid, 4).hex()}"

    def _digest(self, kind: str, value: str, size: int) -> bytes:
        encoded = value.encode("utf-8", "surrogatepass")
        return blake2b(encoded, digest_size=size, key=self._key, person=kind.encode()).digest()
