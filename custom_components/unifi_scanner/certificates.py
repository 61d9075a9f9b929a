"""A controller's certificate in words, for people who are to compare it."""

from .api.tls import Certificate


def certificate_texts(certificate: Certificate) -> dict[str, str]:
    """Return the placeholders of every text that shows a certificate; days are UTC."""
    return {
        "fingerprint": certificate.fingerprint,
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "not_before": f"{certificate.not_before:%Y-%m-%d}",
        "not_after": f"{certificate.not_after:%Y-%m-%d}",
    }
