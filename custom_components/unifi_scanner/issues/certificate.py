"""The repair issue about a controller that presents a certificate other than the pinned one."""

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
    """Return the placeholders of texts that describe a certificate; dates are in UTC."""
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
    """The data of an issue, with certificates in base64-encoded DER form, as in config entries."""

    url: str
    pinned: str
    presented: str

    @classmethod
    def of(cls, issue: ir.IssueEntry | None) -> Self | None:
        """Return the change that an issue is about, None if it is not a certificate issue."""
        if issue is None or issue.translation_key != CERTIFICATE_CHANGED or issue.data is None:
            return None
        return cls(**{key: str(value) for key, value in issue.data.items()})

    @property
    def placeholders(self) -> dict[str, str]:
        """The placeholders of the texts of the issue and its repair flow."""
        return {
            "url": self.url,
            "pinned_fingerprint": Certificate(b64decode(self.pinned)).fingerprint,
            **certificate_placeholders(Certificate(b64decode(self.presented))),
        }


@callback
def async_create_certificate_issue(
    hass: HomeAssistant, url: str, pinned: str, certificate: Certificate
) -> None:
    """Create an issue for the certificate that a controller presents instead of the pinned one.

    Delete it if the certificate is the pinned one: the controller may present that one again by the
    time its certificate is fetched.
    """
    presented = b64encode(certificate.der).decode()
    change = CertificateChange(url=url, pinned=pinned, presented=presented)
    if presented == pinned:
        async_delete_certificate_issue(hass, url, pinned)
        return
    previous = async_get_certificate_change(hass, url)
    if previous == change:
        return
    if previous is not None:
        # Ignoring the issue about another certificate must not hide this one.
        _async_delete_issue(hass, url)
    ir.async_create_issue(
        hass,
        DOMAIN,
        _issue_id(url),
        data=dict(asdict(change)),
        is_fixable=True,
        # It is detected again after a restart, and stays ignored if the user has ignored it.
        is_persistent=False,
        severity=ir.IssueSeverity.ERROR,
        translation_key=CERTIFICATE_CHANGED,
        translation_placeholders={"url": url},
    )


@callback
def async_delete_certificate_issue(hass: HomeAssistant, url: str, pinned: str) -> None:
    """Delete the issue, as the controller presents the pinned certificate again."""
    if (change := async_get_certificate_change(hass, url)) is not None and change.pinned == pinned:
        _async_delete_issue(hass, url)


@callback
def async_delete_outdated_certificate_issues(hass: HomeAssistant) -> None:
    """Delete the issues about certificates that no enabled config entry pins any more."""
    issues = [issue for issue in ir.async_get(hass).issues.values() if issue.domain == DOMAIN]
    for issue in issues:
        change = CertificateChange.of(issue)
        if change is not None and not any(
            entry.data.get(CONF_CERTIFICATE) == change.pinned and entry.disabled_by is None
            for entry in async_pinned_entries(hass, change.url)
        ):
            _async_delete_issue(hass, change.url)


@callback
def async_get_certificate_change(hass: HomeAssistant, url: str) -> CertificateChange | None:
    """Return the change that the issue about a controller describes, None without an issue."""
    return CertificateChange.of(ir.async_get(hass).async_get_issue(DOMAIN, _issue_id(url)))


@callback
def async_pinned_entries(hass: HomeAssistant, url: str) -> list[ConfigEntry]:
    """Return the config entries that pin a certificate of a controller, including disabled ones."""
    return [
        entry
        for entry in hass.config_entries.async_entries(DOMAIN, include_ignore=False)
        if entry.data[CONF_URL] == url and entry.data[CONF_SSL] == TlsMode.PINNED
    ]


@callback
def _async_delete_issue(hass: HomeAssistant, url: str) -> None:
    ir.async_delete_issue(hass, DOMAIN, _issue_id(url))


def _issue_id(url: str) -> str:
    # Hash the address, as issue ids are part of diagnostics that users attach to bug reports.
    return f"{CERTIFICATE_CHANGED}_{sha256(url.encode()).hexdigest()[:16]}"
