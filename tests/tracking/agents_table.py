"""How programs ask for a pixel or a link, and what each must be taken for.

The agents are what the programs really send, as their makers document them or as they are seen in logs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

_CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)
_MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
_IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
_ANDROID = "Mozilla/5.0 (Linux; Android 14; {}) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/130.0.6723.58"
# Addresses for documentation (RFC 5737, RFC 3849) stand for people's own.
AT_HOME, AT_HOME_V6 = "203.0.113.77", "2001:db8:77::5"


@dataclass(frozen=True, slots=True)
class Row:
    """One manner of asking. `kinds`: for what it asks; `rule`: what it must be known by, empty for nothing.

    A click counts as a person's when nothing is known.
    """

    name: str
    agent: str
    rule: str = ""
    method: str = "GET"
    ip: str = AT_HOME
    headers: Mapping[str, str] = field(default_factory=dict)
    kinds: tuple[str, ...] = ("open", "click")

    @property
    def person(self) -> bool:
        """Whether its opening counts by default: a person, or a proxy that fetches when the mail is opened."""
        return self.rule in ("", "proxy_gmail", "proxy_yahoo", "proxy_other")

    @property
    def with_all(self) -> bool:
        """Whether its opening counts where every proxy's does."""
        return self.person or self.rule == "proxy_apple"


def _person(name: str, agent: str, ip: str = AT_HOME) -> Row:
    return Row(name, agent, ip=ip)


PEOPLE = (
    _person("Outlook for Windows", "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17928; Pro)"),
    _person(
        "Outlook for Windows, as an old browser",
        "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; WOW64; Trident/7.0; .NET4.0C; .NET4.0E; "
        "Microsoft Outlook 16.0.17928; ms-office; MSOffice 16)",
    ),
    _person(
        "Outlook 2010, as an older one",
        "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.1; WOW64; Trident/4.0; SLCC2; .NET CLR 2.0.50727; .NET CLR "
        "3.5.30729; .NET CLR 3.0.30729; Media Center PC 6.0; .NET4.0C; .NET4.0E; Microsoft Outlook 14.0.7155; "
        "ms-office; MSOffice 14)",
    ),
    _person("Outlook, short", "Mozilla/4.0 (compatible; ms-office; MSOffice 16)"),
    _person("the new Outlook", f"{_CHROME} Edg/131.0.0.0 OneOutlook/1.2024.1113.200"),
    _person("Outlook for Mac", "MacOutlook/16.78.3.23102801 (Intelx64 Mac OS X 14.1.1 (Build 23B81))"),
    _person("Outlook for iPhone", "Outlook-iOS/709.2226530.prod.iphone (3.24.0)"),
    _person("Outlook for Android", "Outlook-Android/2.0"),
    _person(
        "Thunderbird for Windows",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Thunderbird/128.4.3",
    ),
    _person("Thunderbird for Linux", "Mozilla/5.0 (X11; Linux x86_64; rv:102.0) Gecko/20100101 Thunderbird/102.15.0"),
    _person("Apple Mail on a Mac", _MAC),
    _person("Apple Mail on an iPhone", f"{_IPHONE} Mobile/15E148"),
    _person("Apple Mail of old", "Mail/3696.120.41.1.4 CFNetwork/1335.0.3.2 Darwin/21.6.0"),
    _person("Gmail's program, a mailbox of another provider", _ANDROID.format("Pixel 8 Build/UD1A.231105; wv")),
    _person("Samsung Email", _ANDROID.format("SM-A546B") + " Mobile Safari/537.36 SamsungEmail/6.1.90"),
    _person("Lotus Notes", "Mozilla/4.0 (compatible; Lotus-Notes/6.0; Windows-NT)"),
    _person("Airmail", "Airmail 5.5 rv:723 (Macintosh; Mac OS X 13.2.1; en_US)"),
    _person("Canary Mail", "Canary%20Mail/4.0 CFNetwork/1404 Darwin/22"),
    _person("Evolution", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML, like Gecko) Evolution/3.46.4"),
    _person("Chrome", _CHROME),
    _person("Chrome on a Chromebook", _CHROME.replace("Windows NT 10.0; Win64; x64", "X11; CrOS x86_64 14541.0.0")),
    _person("Firefox", "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0"),
    _person("Firefox, the last for Windows XP", "Mozilla/5.0 (Windows NT 5.1; rv:52.0) Gecko/20100101 Firefox/52.0"),
    _person("Safari", f"{_MAC} Version/18.1 Safari/605.1.15", AT_HOME_V6),
    _person("Safari on an iPhone", f"{_IPHONE} Version/18.1 Mobile/15E148 Safari/604.1"),
    _person("Edge", f"{_CHROME} Edg/131.0.0.0"),
    _person("Internet Explorer 11", "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko"),
    _person(
        "Samsung Internet",
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/26.0 "
        "Chrome/122.0.0.0 Mobile Safari/537.36",
    ),
    _person("LinkedIn's built-in browser", f"{_IPHONE} Mobile/15E148 [LinkedInApp]/9.28.7586"),
    _person(
        "a browser in Slack's window",
        "Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Slack/4.35.126 "
        "Chrome/118.0.5993.54 Electron/27.0.0 Safari/537.36 Sonic Slack_SSB/4.35.126",
    ),
    _person(
        "a telephone named after a bot",
        "Mozilla/5.0 (Linux; Android 9; CUBOT_X19) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile "
        "Safari/537.36",
    ),
)

PROXIES = (
    Row("Apple's privacy proxy", "Mozilla/5.0", "proxy_apple"),
    Row("Apple's own network", f"{_MAC}", "proxy_apple", ip="17.58.63.12", kinds=("open",)),
    Row(
        "Gmail's image proxy",
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
        "proxy_gmail",
        ip="66.249.93.12",
    ),
    Row(
        "Yahoo's image proxy",
        "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
        "proxy_yahoo",
    ),
    Row("Seznam's image proxy", "SeznamEmailProxy/2.0.222", "proxy_other"),
    Row("a web mail's proxy", "Camo Asset Proxy 2.4", "proxy_other"),
)

MACHINES = (
    Row("HEAD by a browser's agent", _CHROME, "head", method="HEAD"),
    Row("HEAD by a scanner's agent", "BarracudaCentral", "head", method="HEAD"),
    Row("a browser fetching ahead", _CHROME, "prefetch", headers={"sec-purpose": "prefetch;prerender"}),
    Row("a browser fetching ahead, in the old words", _CHROME, "prefetch", headers={"purpose": "prefetch"}),
    Row("Safari's top sites", f"{_MAC} Version/18.1 Safari/605.1.15", "prefetch", headers={"x-purpose": "preview"}),
    Row("Firefox fetching ahead", "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0", "prefetch",
        headers={"x-moz": "prefetch"}),
    Row(
        "Gmail's look ahead",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/42.0.2311.135 "
        "Safari/537.36 Edge/12.246 Mozilla/5.0",
        "prefetch",
        ip="108.177.2.32",
    ),
    Row("Barracuda", "BarracudaCentral", "scanner"),
    Row("Barracuda Sentinel", "Barracuda Sentinel (EE)", "scanner"),
    Row("Proofpoint", "Mozilla/5.0 (compatible; Proofpoint URL Defense)", "scanner"),
    Row("Mimecast", "Mozilla/5.0 (compatible; Mimecast URL Protect)", "scanner"),
    Row("Microsoft Safe Links by name", "Mozilla/5.0 (compatible; Microsoft-SafeLinks)", "scanner"),
    Row("Trend Micro", "Mozilla/5.0 (compatible; TrendMicro WRS)", "scanner"),
    Row("Sophos", "SophosAgent/1.0", "scanner"),
    Row("Symantec", "Symantec.cloud Link Following", "scanner"),
    Row("FortiGate", "FortiGate (FortiOS 7.0)", "scanner"),
    Row("Check Point", "CheckPoint-Avanan/1.0", "scanner"),
    Row("Safe Links as a browser", _CHROME, "network", ip="40.107.218.12"),
    Row("Exchange Online Protection, IPv6", _CHROME, "network", ip="2a01:111:f403:c112::5"),
    Row("Safe Links from where Microsoft lists nothing", _CHROME, "network", ip="40.94.16.9", kinds=("click",)),
    Row("Barracuda as a browser", _CHROME, "network", ip="209.222.82.17"),
    Row("Proofpoint as a browser", _CHROME, "network", ip="67.231.152.8"),
    Row("Mimecast as a browser", _CHROME, "network", ip="207.211.31.81"),
    Row("MessageLabs as a browser", _CHROME, "network", ip="85.158.142.99"),
    Row("IronPort as a browser", _CHROME, "network", ip="68.232.130.4"),
    Row("Trend Micro as a browser", _CHROME, "network", ip="150.70.178.4"),
    Row("a filter without an agent", "", "network", ip="104.47.12.1"),
    Row("Slack", "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "link_preview"),
    Row("Slack's pictures", "Slack-ImgProxy (+https://api.slack.com/robots)", "link_preview"),
    Row(
        "Teams",
        "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com",
        "link_preview",
    ),
    Row("WhatsApp", "WhatsApp/2.23.20.0 A", "link_preview"),
    Row("Facebook", "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "link_preview"),
    Row(
        "Apple's Messages",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 "
        "Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0",
        "link_preview",
    ),
    Row("LinkedIn", "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
        "link_preview"),
    Row("Telegram", "TelegramBot (like TwitterBot)", "link_preview"),
    Row("Discord", "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)", "link_preview"),
    Row(
        "Google reading aloud",
        _ANDROID.format("Nexus 5X") + " Mobile Safari/537.36 (compatible; Google-Read-Aloud; "
        "+https://support.google.com/webmasters/answer/1061943)",
        "link_preview",
    ),
    Row("Bing's preview", f"{_CHROME} BingPreview/1.0b", "link_preview"),
    Row("Googlebot", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "agent"),
    Row("Applebot at Apple", f"{_MAC} Version/17.4 Safari/605.1.15 (Applebot/0.1)", "agent", ip="17.241.75.1"),
    Row("a browser without a window", _CHROME.replace("Chrome/", "HeadlessChrome/"), "agent"),
    Row("Python", "python-requests/2.31.0", "agent"),
    Row("curl", "curl/8.5.0", "agent"),
    Row("Go", "Go-http-client/1.1", "agent"),
    Row("Java", "Apache-HttpClient/4.5.13 (Java/11.0.15)", "agent"),
    Row("Office looking whether a link exists", "Microsoft Office Existence Discovery", "agent"),
    Row("a mail program's name on a library", "Microsoft Outlook 16.0.17928 python-requests/2.31.0", "agent"),
    Row("Internet Explorer 6", "Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; SV1)", "agent"),
    Row("Internet Explorer 9", "Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; Win64; x64; Trident/5.0)", "agent"),
    Row("a Chrome of 2013", _CHROME.replace("Chrome/131", "Chrome/27"), "agent"),
    Row("a Chrome that Windows XP never had", _CHROME.replace("NT 10.0", "NT 5.1"), "agent"),
    Row("a Firefox of 2010", "Mozilla/5.0 (Windows; U; Windows NT 6.1; en-US; rv:1.9.2) Gecko/20100115 Firefox/3.6",
        "agent"),
    Row("a Safari of 2011", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_6_8) AppleWebKit/534.57 (KHTML, like Gecko) "
        "Version/5.1.7 Safari/534.57", "agent"),
    Row("half a name", "Mozilla/4.0 (compatible;)", "agent"),
    Row("no agent", "", "no_agent"),
    Row("a blank agent", " ", "no_agent"),
    Row("a dash for an agent", "-", "no_agent"),
)  # fmt: skip

TABLE = PEOPLE + PROXIES + MACHINES
