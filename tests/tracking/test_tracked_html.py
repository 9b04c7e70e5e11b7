"""Links of a mail lead through this installation and on to what its author wrote; everything else stays as it was."""

import html
import re

import pytest

from fluenzr_app.campaigns.body import Rendered, compile_body, compile_subject, render_mail
from fluenzr_app.clock import ManualClock
from fluenzr_app.crypto import KeyRing
from fluenzr_app.tracking.link_keys import none_retired
from fluenzr_app.tracking.links import LONGEST_URL, TrackedMail, read_click, read_open
from fluenzr_app.tracking.tracked_html import Tracking

OURS = "https://go.rivage.example"
VALUES = {
    "first_name": "Léa & Co/é",
    "website": "www.rivage.example/a\r\nX-Y: z",
    "evil": "javascript:alert(1)",
    "calendly_link": "calendly.com/lea",
    "unsubscribe_link": f"{OURS}/u/token",
    "signature": 'Bob <a href="https://bob.example/">site</a>',
}


@pytest.fixture
def tracking(keyring: KeyRing, clock: ManualClock) -> Tracking:
    return Tracking(keyring, OURS, TrackedMail(1, 2, 3, 4, 5, 6, clock.now()), opens=True, clicks=True)


def rendered(body: str, tracking: Tracking | None) -> Rendered:
    link = None if tracking is None else tracking.link
    return render_mail(compile_subject("s"), compile_body(body), VALUES, plain_only=False, link=link)


def followed(tracking: Tracking, page: str | None) -> list[tuple[str, str]]:
    """Return source and target of each rewritten link."""
    clicks = [
        read_click(tracking.keyring, token, none_retired)
        for token in re.findall(rf'href="{OURS}/c/([\w-]+)"', page or "")
    ]
    assert all(click.mail == tracking.mail and click.tracks_opens and not click.trap for click in clicks)
    return [(click.source, click.address) for click in clicks]


@pytest.mark.parametrize(
    ("body", "links"),
    [
        ('<a href="https://a.example/?b=1&amp;c=2#d">x</a>', [("https://a.example/?b=1&c=2#d",) * 2]),
        ('<a href="HTTPS://A.example/">x</a>', [("HTTPS://A.example/",) * 2]),
        ('<a href=" https://a.example/ ">x</a>', [("https://a.example/",) * 2]),
        ("<a href='http://a.example'>x</a>", [("http://a.example",) * 2]),
        ('<a href="https://münchen.example/ü">x</a>', [("https://münchen.example/ü",) * 2]),
        (
            '<a href="https://a.example/{{first_name}}?f=1&amp;n={{first_name}}">x</a>',
            [
                (
                    "https://a.example/{{first_name}}?f=1&n={{first_name}}",
                    "https://a.example/L%C3%A9a%20%26%20Co%2F%C3%A9?f=1&n=L%C3%A9a%20%26%20Co%2F%C3%A9",
                )
            ],
        ),
        (
            "{{#if first_name}}<a href='https://yes.example/'>y</a>{{else}}<a href='https://no.example/'>n</a>{{/if}}",
            [("https://yes.example/",) * 2],
        ),
        (
            '<a href="https://a.example/{{#if absent}}1{{else}}2{{/if}}">x</a>',
            [("https://a.example/{{#if absent}}1{{else}}2{{/if}}", "https://a.example/2")],
        ),
        ('<a href="{{website}}">x</a>', [("{{website}}", "https://www.rivage.example/aX-Y:%20z")]),
        ("<p>{{calendly_link}}</p>", [("{{calendly_link}}", "https://calendly.com/lea")]),
        (
            "see https://a.example/b. And (https://c.example)",
            [("https://a.example/b",) * 2, ("https://c.example",) * 2],
        ),
    ],
)
def test_a_link_leads_on_to_what_its_author_wrote(tracking: Tracking, body: str, links: list[tuple[str, str]]) -> None:
    mail = rendered(body, tracking)
    assert followed(tracking, mail.html) == links
    plain = rendered(body, None)
    assert mail.text == plain.text
    # Nothing but the addresses is another.
    assert re.sub(r'href="[^"]*"', "", mail.html or "") == re.sub(r'href="[^"]*"', "", plain.html or "")


@pytest.mark.parametrize(
    "body",
    [
        '<a href="mailto:lea@rivage.example?subject=a&amp;b">x</a> <a href="tel:+33123">y</a> <a href="#top">z</a>',
        '<a href="{{evil}}">x</a>',
        "<p>{{unsubscribe_link}}</p>",
        f'<a href="{OURS}/u/token">x</a> <a href="{OURS}/p/token">y</a>',
        "<p>{{signature}}</p>",
        '<img src="https://a.example/b.png">',
    ],
)
def test_what_is_no_link_into_the_web_or_ours_stays(tracking: Tracking, body: str) -> None:
    assert rendered(body, tracking) == rendered(body, None)


def test_a_link_that_would_become_too_long_for_mail_programs_stays(tracking: Tracking) -> None:
    for length in range(100, 3000, 50):
        address = "https://a.example/".ljust(length, "x")
        for source in (address, address + "{{first_name}}"):
            url = tracking.link(source, address)
            assert len(url) <= max(LONGEST_URL, length)
            assert url == address or followed(tracking, f'href="{url}"') == [(source, address)]
    assert tracking.link(*["https://a.example/".ljust(1200, "x")] * 2).startswith(OURS)


@pytest.mark.parametrize(("opens", "clicks"), [(True, False), (False, True), (True, True)])
def test_the_end_of_a_mail_holds_the_pixel_and_the_trap_of_what_is_asked_after(
    tracking: Tracking, opens: bool, clicks: bool
) -> None:
    each = Tracking(tracking.keyring, OURS, tracking.mail, opens=opens, clicks=clicks)
    page = each.closing()
    pixels = [read_open(each.keyring, token, none_retired) for token in re.findall(r"/o/([\w-]+)", page)]
    traps = [read_click(each.keyring, token, none_retired) for token in re.findall(r"/c/([\w-]+)", page)]
    assert pixels == [each.mail] * opens
    assert [(trap.trap, trap.address) for trap in traps] == [(True, "")] * clicks
    assert html.unescape(page) == page
    if not clicks:
        assert each.link("https://a.example/", "https://a.example/") == "https://a.example/"
