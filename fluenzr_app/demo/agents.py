"""What programs say of themselves when they fetch something that a mail leads to."""

from __future__ import annotations

import random
from typing import Final

from fluenzr_app.demo.mail_programs import Program

_WINDOWS: Final = "Mozilla/5.0 (Windows NT 10.0; Win64; x64"
_CHROME: Final = _WINDOWS + ") AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{} Safari/537.36"
_FIREFOX: Final = _WINDOWS + "; rv:{0}.0) Gecko/20100101 Firefox/{0}.0"
_SAFARI: Final = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/18.5 Safari/605.1.15"
)
_PHONE: Final = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/18.5 Mobile/15E148 Safari/604.1"
)
_PHONE_MAIL: Final = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
)
_OUTLOOK: Final = (
    "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Win64; x64; Trident/7.0; .NET4.0C; .NET4.0E;"
    " Microsoft Outlook 16.0.17328; ms-office; MSOffice 16)"
)
_THUNDERBIRD: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.11.0"
_GMAIL_IMAGES: Final = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"

APPLE_PRIVACY: Final = "Mozilla/5.0"
"""Fetches the pictures of a mail soon after it came, whether anybody opens it or not."""
_GATEWAYS: Final = (
    # Some say what they are; others would rather be taken for somebody.
    "Mozilla/5.0 (compatible; Barracuda Sentinel (EE))",
    "python-requests/2.32.4",
    _CHROME.format("138.0.0.0"),
    _CHROME.format("79.0.3945.130"),
)
_CHATS: Final = (
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com",
)


def for_pictures(program: Program, *, on_phone: bool) -> str:
    """Return who fetches the pictures when somebody opens a mail with this program."""
    if program == "gmail":
        # On the phone too.
        return _GMAIL_IMAGES
    if on_phone or program == "iphone":
        return _PHONE_MAIL
    if program == "outlook":
        return _OUTLOOK
    return _SAFARI if program == "apple" else _THUNDERBIRD


def for_links(program: Program, rng: random.Random, *, on_phone: bool) -> str:
    """Return the browser in which somebody who uses this program follows a link."""
    if on_phone or program == "iphone":
        return _PHONE
    if program == "apple":
        return _SAFARI
    if program == "thunderbird":
        return _FIREFOX.format(rng.choice((128, 140, 141)))
    chrome = _CHROME.format(rng.choice(("136.0.0.0", "137.0.0.0", "138.0.0.0")))
    return f"{chrome} Edg/138.0.0.0" if program == "outlook" else chrome


def of_gateway(rng: random.Random) -> str:
    """Return what a firm's security gateway calls itself."""
    return rng.choice(_GATEWAYS)


def of_chat(rng: random.Random) -> str:
    """Return what a chat calls itself that shows a picture of a link's page."""
    return rng.choice(_CHATS)
