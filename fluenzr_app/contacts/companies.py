"""Which domains stand for a company, and which are shared by people who have nothing to do with each other."""

import re
from functools import cache

from fluenzr_app.contacts.checks import is_disposable
from fluenzr_app.mail.presets import PRESETS

# One brand under the endings of many countries.
_BRANDS = re.compile(
    r"(?:yahoo|ymail|hotmail|live|outlook|msn|gmx|aol|windowslive|googlemail|icloud|mail|inbox|yandex|rambler|seznam|"
    r"rediffmail|naver|hanmail|daum|protonmail|tutanota|zohomail|fastmail)\.(?:[a-z]{2,3}|com?\.[a-z]{2})"
)
# Webmail, access providers and private hosts that neither the presets nor a brand's name tells.
_MORE = frozenset({
    "9online.fr", "aliceadsl.fr", "alice.fr", "alice.it", "bbox.fr", "cegetel.net", "club-internet.fr", "dbmail.com",
    "hey.com", "neuf.fr", "noos.fr", "numericable.fr", "numericable.com", "tele2.fr", "voila.fr", "cario.fr",
    "tuta.com", "tuta.io", "tutamail.com", "keemail.me", "duck.com", "hushmail.com", "mail.com", "email.com",
    "usa.com", "skynet.be", "telenet.be", "proximus.be", "scarlet.be", "pandora.be", "pt.lu", "sympatico.ca",
    "videotron.ca", "bell.net", "rogers.com", "shaw.ca", "telus.net", "sunrise.ch", "hispeed.ch", "netplus.ch",
    "romandie.com", "arcor.de", "kabelmail.de", "vodafone.de", "o2online.de", "unitybox.de", "mail.de", "email.de",
    "aon.at", "chello.at", "tiscali.it", "tin.it", "virgilio.it", "fastwebnet.it", "poste.it", "telefonica.net",
    "movistar.es", "terra.es", "ono.com", "sapo.pt", "netcabo.pt", "clix.pt", "ziggo.nl", "kpnmail.nl", "planet.nl",
    "xs4all.nl", "home.nl", "hetnet.nl", "casema.nl", "upcmail.nl", "chello.nl", "btinternet.com", "sky.com",
    "talktalk.net", "virginmedia.com", "ntlworld.com", "blueyonder.co.uk", "tiscali.co.uk", "eircom.net",
    "comcast.net", "att.net", "sbcglobal.net", "bellsouth.net", "cox.net", "charter.net", "earthlink.net", "juno.com",
    "optonline.net", "frontier.com", "roadrunner.com", "wp.pl", "o2.pl", "onet.pl", "onet.eu", "interia.pl",
    "gazeta.pl", "centrum.cz", "email.cz", "post.cz", "azet.sk", "freemail.hu", "citromail.hu", "abv.bg", "ukr.net",
    "i.ua", "bk.ru", "list.ru", "ya.ru", "mynet.com", "bigpond.com", "optusnet.com.au", "xtra.co.nz", "uol.com.br",
    "bol.com.br", "terra.com.br", "ig.com.br", "globo.com", "qq.com", "foxmail.com", "163.com", "126.com", "yeah.net",
    "sina.com", "sina.cn", "sohu.com", "139.com", "189.cn", "docomo.ne.jp", "ezweb.ne.jp", "softbank.ne.jp",
    "nifty.com", "telia.com", "online.no", "tdcadsl.dk", "luukku.com",
})  # fmt: skip


def company_of(domain: str) -> str:
    """Return the domain where it stands for one company, "" for webmail, access providers and throw-away addresses."""
    known = domain.casefold()
    if not known or known in _shared() or _BRANDS.fullmatch(known) or is_disposable(f"x@{known}"):
        return ""
    return known


@cache
def _shared() -> frozenset[str]:
    return _MORE.union(*(preset.domains for preset in PRESETS))
