"""A domain stands for a company unless everybody may have an address there."""

import pytest

from fluenzr_app.contacts.companies import company_of
from fluenzr_app.mail.presets import PRESETS


@pytest.mark.parametrize("domain", ["atelier-rivage.fr", "firm0.example", "apple.com", "Chantier.example"])
def test_the_domain_of_a_company_is_its_name(domain: str) -> None:
    assert company_of(domain) == domain.lower()


@pytest.mark.parametrize(
    "domain",
    [
        "gmail.com", "googlemail.com", "outlook.fr", "hotmail.co.uk", "yahoo.fr", "icloud.com", "proton.me", "gmx.de",
        "orange.fr", "wanadoo.fr", "free.fr", "laposte.net", "sfr.fr", "bbox.fr", "numericable.fr", "neuf.fr",
        "bluewin.ch", "libero.it", "t-online.de", "sympatico.ca", "tutanota.com", "GMAIL.com", "mailinator.com", "",
    ],
)  # fmt: skip
def test_webmail_and_access_providers_are_no_company(domain: str) -> None:
    assert company_of(domain) == ""


def test_no_provider_of_the_presets_counts_as_a_company() -> None:
    assert [domain for preset in PRESETS for domain in preset.domains if company_of(domain)] == []
