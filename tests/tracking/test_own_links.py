"""Our pixels and links are known wherever they come back to us, and nobody else's are touched."""

import html
from urllib.parse import quote

import pytest

from fluenzr_app.clock import ManualClock
from fluenzr_app.crypto import KeyRing
from fluenzr_app.tracking.links import Click, TrackedMail, click_token_for, open_token_for
from fluenzr_app.tracking.own_links import OwnLinks
from fluenzr_app.tracking.tracked_html import Tracking

OURS = "https://go.rivage.example"
TARGET = "https://rivage.example/offre?a=1&b=é(2)"
OTHER = KeyRing(b"another installation's key, 32 b.")


@pytest.fixture
def mail(clock: ManualClock) -> TrackedMail:
    return TrackedMail(1, 2, 3, 4, 5, 6, clock.now())


@pytest.fixture
def links(keyring: KeyRing) -> OwnLinks:
    return OwnLinks(keyring, OURS, lambda _purpose: [])


@pytest.fixture
def click(keyring: KeyRing, mail: TrackedMail) -> str:
    return f"{OURS}/c/{click_token_for(keyring, Click(mail, TARGET, TARGET))}"


@pytest.fixture
def pixel(keyring: KeyRing, mail: TrackedMail) -> str:
    return f"{OURS}/o/{open_token_for(keyring, mail)}"


def test_a_link_leads_where_its_author_meant(links: OwnLinks, click: str) -> None:
    assert links.plain(click) == TARGET
    assert links.plain(click.replace("https", "http")) == TARGET
    assert links.plain(click.replace("go.rivage", "GO.Rivage") + "?utm=1") == TARGET


def test_what_a_program_wrapped_is_ours_still(links: OwnLinks, click: str, pixel: str) -> None:
    assert (
        links.plain(f"https://eur01.safelinks.example/?url={quote(click, safe='')}&data=05%7C02&reserved=0") == TARGET
    )
    assert links.plain(f"https://ci3.googleusercontent.example/meips/x=s0-d-e1-ft#{pixel}") is None


def test_pixel_trap_and_damaged_links_lead_nowhere(
    links: OwnLinks, keyring: KeyRing, mail: TrackedMail, click: str, pixel: str
) -> None:
    trap = click_token_for(keyring, Click(mail, "", "", trap=True))
    foreign = click_token_for(OTHER, Click(mail, TARGET, TARGET))
    for address in (pixel, pixel[:-3], f"{OURS}/c/{trap}", f"{OURS}/c/{foreign}", click[:-4], f"{OURS}/c/x"):
        assert links.plain(address) is None


def test_a_link_from_before_a_rotation_is_known(keyring: KeyRing, click: str) -> None:
    new = OwnLinks(KeyRing(b"the key after the rotation, 32 b."), OURS, lambda purpose: [keyring.derive(purpose)])
    assert new.plain(click) == TARGET


@pytest.mark.parametrize(
    "address",
    [
        "https://rivage.example/o/abc", "https://go.rivage.example", f"{OURS}/u/abc", f"{OURS}/p/abc",
        f"{OURS}/campaigns/x", "https://ago.rivage.example.evil/100%25", "mailto:lea@rivage.example", "", "%", "cid:x",
        "https://x.example/?u=%E9%",
    ],
)  # fmt: skip
def test_what_is_not_ours_stays_as_it_is(links: OwnLinks, address: str) -> None:
    assert links.plain(address) == address


def test_an_installation_under_a_path_knows_its_own(keyring: KeyRing, click: str) -> None:
    under = OwnLinks(keyring, f"{OURS}/mail", lambda _purpose: [])
    assert under.plain(click.replace(OURS, f"{OURS}/mail")) == TARGET
    assert under.plain(click) == click


def test_a_text_keeps_its_words(links: OwnLinks, click: str, pixel: str) -> None:
    text = f"> Voir l’offre <{click}>, ou {click}.\n> [{pixel}]\n> Site: https://x.example/(a)\n({click})"
    assert links.plain_text(text) == (
        f"> Voir l’offre <{TARGET}>, ou {TARGET}.\n> \n> Site: https://x.example/(a)\n({TARGET})"
    )
    assert links.plain_text("Rien de nous ici: https://x.example/c/abc") == "Rien de nous ici: https://x.example/c/abc"


def test_a_page_that_we_composed_is_as_it_would_be_without_tracking(
    links: OwnLinks, keyring: KeyRing, mail: TrackedMail
) -> None:
    tracking = Tracking(keyring, OURS, mail, opens=True, clicks=True)
    own = f'<p style="x">A <a href="{OURS}/u/abc" style="y">b</a><img src="https://x.example/a.png"></p>'
    link = '<a title="t" href="{}">Offre</a>'
    page = own + link.format(html.escape(tracking.link(TARGET, TARGET))) + tracking.closing()
    assert page.count("/c/") == 2
    assert links.plain_html(page) == own + link.format(html.escape(TARGET))
