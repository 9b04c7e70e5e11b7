"""What a request for a pixel or a link tells by itself about who asks: a person's program or a machine (tracking.md).

What only shows over several requests, such as all links at once, is found by the judgement.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from crawlerdetect import CrawlerDetect  # type: ignore[import-untyped]

from fluenzr_app.tracking.networks import owner_of

Kind = Literal["open", "click"]


@dataclass(frozen=True, slots=True)
class Request:
    """What is looked at of a request; the names in `headers` are in lower case."""

    method: str
    user_agent: str = ""
    ip: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


# Longer than what any program says of itself; the rest is somebody's game with us.
_LONGEST_AGENT = 512
# The patterns of crawlerdetect take a time that grows with the square of a word's length.
_LONGEST_FOR_CRAWLERS = 320
_AGENTS_KEPT = 4096
_NO_PERSON_EVER = ("scanner", "link_preview")
_PERSON = ("", "person", "by_click")

_PURPOSES = ("sec-purpose", "purpose", "x-purpose", "x-moz")
_AHEAD = re.compile(r"prefetch|preview|prerender", re.IGNORECASE)

# Gmail's look at the pictures of a mail that is not shown yet; its image proxy names itself and comes when it is.
_GMAIL_AHEAD = "Edge/12.246 Mozilla/5.0"
_PROXIES = (
    ("proxy_gmail", re.compile(r"GoogleImageProxy", re.IGNORECASE)),
    ("proxy_yahoo", re.compile(r"YahooMailProxy|YahooCacheSystem", re.IGNORECASE)),
)
_OTHER_PROXY = re.compile(r"(?:image|img|e?mail|asset|media|content)[ _-]?proxy|\bcamo\b", re.IGNORECASE)
_SCANNER = re.compile(
    r"barracuda|cudasvc|proofpoint|urldefense|mimecast|safe ?links|microsoft.?(?:defender|atp)|trend ?micro|\bTMUFE\b"
    r"|\bTMES\b|sophos|symantec|messagelabs|forti(?:gate|mail|guard|net|sandbox)|avanan|check ?point|cloudmark|ironport"
    r"|cisco.?secure|fireeye|trellix|forcepoint|websense|bitdefender|kaspersky|vade ?(?:secure|retro)|hornetsecurity"
    r"|antispameurope|mailguard|spamtitan|mailmarshal|mailscanner|spamexperts|zerospam|ironscales|area ?1 security"
    r"|perception.?point|virustotal|urlscan|phishtank|google-safety|safebrowsing",
    re.IGNORECASE,
)
# The programs themselves name some of these at the beginning, and people's built-in browsers name the rest otherwise.
_LINK_PREVIEW = re.compile(
    r"slackbot|slack-imgproxy|skypeuripreview|microsoftpreview|bingpreview|facebookexternalhit|\bfacebot|twitterbot"
    r"|linkedinbot|telegrambot|discordbot|pinterestbot|redditbot|mattermost-bot|rocket\.chat|google-read-aloud"
    r"|google-pagerenderer|google web preview|googlemessages|embedly|iframely|vkshare|snap url preview|line-poker"
    r"|cardyb|mastodon|^whatsapp/|^viber|^signal|^wechat|^pinterest/|^zoom\.|link.?preview|linkexpander|unfurl",
    re.IGNORECASE,
)
# Mail programs that crawlerdetect takes for crawlers, and Slack's own window; what is left is still looked at.
_TAKEN_FOR_CRAWLERS = re.compile(
    r"Microsoft (?:Office|Outlook|Office Outlook)[/ ][\d.]+|MacOutlook/\S*|Outlook-(?:iOS|Android|Express)/\S*"
    r"|^(?:Mobile)?Mail/\S+ CFNetwork/\S+|Airmail[/ ][\d.]+|Canary(?:%20| )?Mail\S*|Polymail/\S*"
    r"|Slack/[\d.]+(?=.*Electron/)",
    re.IGNORECASE,
)
_MAIL_PROGRAM = re.compile(
    r"outlook|ms-?office|microsoft office/|thunderbird|lotus-notes|postbox|em ?client|foxmail|the ?bat|groupwise"
    r"|seamonkey|kmail|evolution|windows ?live ?mail|airmail|zimbra|mailbird|incredimail",
    re.IGNORECASE,
)
_STILL_ALIVE = re.compile(r"Trident/[78]|Opera M[io]")
_OLD_WORD = re.compile(r"^Mozilla/[0-4]\b|\bMSIE \d|^Opera/\d|Windows (?:95|98|ME|CE|3\.)|Windows NT [1-4]\b")
_OLD_SYSTEM = re.compile(r"Windows NT 5\.")
_CHROME, _FIREFOX = re.compile(r" Chrome/(\d{1,4})\."), re.compile(r" Firefox/(\d{1,4})\.")
_SAFARI = re.compile(r"(?:Macintosh|iPhone|iPad|Windows).* Version/(\d{1,4})\.")
# What these have for their oldest; then those on the last ones made for Windows XP.
_OLDEST_CHROME, _OLDEST_FIREFOX, _OLDEST_SAFARI = 40, 40, 8
_LAST_CHROME_ON_XP, _LAST_FIREFOX_ON_XP = 49, 52


def rule_of(request: Request, kind: Kind) -> str:
    """Return the code of what the request itself tells, empty when it looks like a person's; never raises."""
    if request.method == "HEAD":
        return "head"
    headers = request.headers
    for name in _PURPOSES:
        purpose = headers.get(name)
        if purpose and _AHEAD.search(purpose):
            return "prefetch"
    rule = _rule_of_agent(request.user_agent[:_LONGEST_AGENT])
    if rule in _NO_PERSON_EVER:
        return rule
    owner = owner_of(request.ip)
    if owner == "gateway" or (owner == "gateway_clicks" and kind == "click"):
        return "network"
    if owner == "apple" and kind == "open" and not rule:
        return "proxy_apple"
    return rule


def counts_as_machine(rule: str, kind: str, proxy_opens: str) -> bool:
    """Return whether what was judged so is left out of people's figures.

    An opening through an image proxy is a person's where the workspace's `proxy_opens` says so: `all`, `on_open` (every
    proxy but Apple's, which fetches whether the mail is opened or not) or `none`. A proxy fetches pictures, so that a
    click through one is a machine's always.
    """
    if rule in _PERSON:
        return False
    if kind != "open" or not rule.startswith("proxy_") or proxy_opens == "none":
        return True
    return proxy_opens != "all" and rule == "proxy_apple"


@lru_cache(maxsize=_AGENTS_KEPT)
def _rule_of_agent(agent: str) -> str:
    agent = agent.strip()
    if not agent or agent == "-":
        return "no_agent"
    if agent == "Mozilla/5.0":
        return "proxy_apple"
    if agent.endswith(_GMAIL_AHEAD):
        return "prefetch"
    if _SCANNER.search(agent):
        return "scanner"
    # Before the proxies: that of Slack shows pictures of links in a conversation.
    if _LINK_PREVIEW.search(agent):
        return "link_preview"
    for rule, pattern in _PROXIES:
        if pattern.search(agent):
            return rule
    if _OTHER_PROXY.search(agent):
        return "proxy_other"
    return "agent" if _is_crawler(agent) or _is_from_another_time(agent) else ""


def _is_crawler(agent: str) -> bool:
    rest = _TAKEN_FOR_CRAWLERS.sub("", agent)[:_LONGEST_FOR_CRAWLERS].strip()
    return bool(rest) and _crawlers().is_crawler(rest)


@lru_cache(maxsize=1)
def _crawlers() -> CrawlerDetect:
    return CrawlerDetect()


def _is_from_another_time(agent: str) -> bool:
    """Tell a browser that nobody has any more, or that never existed: what scanners made up once and never changed.

    Mail programs show mails with the engine that they were built with, and are left alone.
    """
    if _MAIL_PROGRAM.search(agent) or _STILL_ALIVE.search(agent):
        return False
    if _OLD_WORD.search(agent):
        return True
    chrome, firefox, safari = (_version(pattern, agent) for pattern in (_CHROME, _FIREFOX, _SAFARI))
    if _OLD_SYSTEM.search(agent) and ((chrome or 0) > _LAST_CHROME_ON_XP or (firefox or 0) > _LAST_FIREFOX_ON_XP):
        return True
    return any(
        version is not None and version < oldest
        for version, oldest in (
            (chrome, _OLDEST_CHROME),
            (firefox, _OLDEST_FIREFOX),
            (safari, _OLDEST_SAFARI),
        )
    )


def _version(pattern: re.Pattern[str], agent: str) -> int | None:
    found = pattern.search(agent)
    return int(found[1]) if found else None
