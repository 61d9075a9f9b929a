"""The repair issue about a controller that shows another certificate than the pinned one."""

from base64 import b64decode, b64encode
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Self

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_SSL, CONF_URL
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from ..api.tls import Certificate, TlsMode
from ..const import CONF_CERTIFICATE, DOMAIN


def certificate_placeholders(certificate: Certificate) -> dict[str, str]:
    """Return the placeholders of every text that shows a certificate; days are UTC."""
    return {
        "fingerprint": certificate.fingerprint,
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "not_before": f"{certificate.not_before:%Y-%m-%d}",
        "not_after": f"{certificate.not_after:%Y-%m-%d}",
    }


CERTIFICATE_CHANGED = "certificate_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateChange:
    """What an issue is about: certificates as base64 of their binary form, as entries keep them."""

    url: str
    pinned: str
    shown: str

    @classmethod
    def of(cls, issue: ir.IssueEntry | None) -> Self | None:
        """Return what an issue is about, None when it is no such issue."""
        if issue is None or issue.translation_key != CERTIFICATE_CHANGED or issue.data is None:
            return None
        return cls(**{key: str(value) for key, value in issue.data.items()})

    @property
    def texts(self) -> dict[str, str]:
        """The placeholders of the issue's texts."""
        return {
            "url": self.url,
            "pinned_fingerprint": Certificate(b64decode(self.pinned)).fingerprint,
            **certificate_placeholders(Certificate(b64decode(self.shown))),
        }


@callback
def async_create_certificate_issue(
    hass: HomeAssistant, url: str, pinned: str, certificate: Certificate
) -> None:
    """Ask the user about the certificate that the controller shows in place of the pinned one.

    It may show the pinned one again by the time it is asked for it.
    """
    change = CertificateChange(url=url, pinned=pinned, shown=b64encode(certificate.der).decode())
    if change.shown == pinned:
        async_delete_certificate_issue(hass, url, pinned)
        return
    before = async_get_change(hass, url)
    if before == change:
        return
    if before is not None:
        # Whoever has chosen to ignore that one has not seen this one.
        _async_delete_issue(hass, url)
    ir.async_create_issue(
        hass,
        DOMAIN,
        _issue_id(url),
        data=dict(asdict(change)),
        is_fixable=True,
        # It is made anew after a restart; whoever ignores it is not asked again all the same.
        is_persistent=False,
        severity=ir.IssueSeverity.ERROR,
        translation_key=CERTIFICATE_CHANGED,
        translation_placeholders={"url": url},
    )


@callback
def async_delete_certificate_issue(hass: HomeAssistant, url: str, pinned: str) -> None:
    """Take the question back, as the controller shows the pinned certificate again."""
    if (change := async_get_change(hass, url)) is not None and change.pinned == pinned:
        _async_delete_issue(hass, url)


@callback
def async_delete_outdated_issues(hass: HomeAssistant) -> None:
    """Take those questions back that no entry depends on any more."""
    issues = [issue for issue in ir.async_get(hass).issues.values() if issue.domain == DOMAIN]
    for issue in issues:
        change = CertificateChange.of(issue)
        if change is not None and not any(
            entry.data.get(CONF_CERTIFICATE) == change.pinned and entry.disabled_by is None
            for entry in async_pinned_entries(hass, change.url)
        ):
            _async_delete_issue(hass, change.url)


@callback
def async_get_change(hass: HomeAssistant, url: str) -> CertificateChange | None:
    """Return what the user is being asked about a controller, None for nothing."""
    return CertificateChange.of(ir.async_get(hass).async_get_issue(DOMAIN, _issue_id(url)))


@callback
def async_pinned_entries(hass: HomeAssistant, url: str) -> list[ConfigEntry]:
    """Return the entries of a controller that pin its certificate, disabled ones too."""
    return [
        entry
        for entry in hass.config_entries.async_entries(DOMAIN, include_ignore=False)
        if entry.data[CONF_URL] == url and entry.data[CONF_SSL] == TlsMode.PINNED
    ]


@callback
def _async_delete_issue(hass: HomeAssistant, url: str) -> None:
    ir.async_delete_issue(hass, DOMAIN, _issue_id(url))


def _issue_id(url: str) -> str:
    # Ids stand in what users send with a report of a bug, and an address is nobody's business.
    return f"{CERTIFICATE_CHANGED}_{sha256(url.encode()).hexdigest()[:16]}"
