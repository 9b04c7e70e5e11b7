"""The cause behind a server's refusal, named from its words and codes.

Codes alone mislead: mailbox full, size, policy, spam, relay and rate refusals carry 5.x just as an unknown user
does. Words name the cause first, then the enhanced code (RFC 3463), then the bare code (RFC 5321, 4.2.3).
Used for replies during a send and for delivery reports that come later.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

Stage = Literal["connect", "ehlo", "tls", "auth", "mail", "rcpt", "data", "content"]
"""The step of the dialogue that was answered; `data` is before the content, `content` after the final dot."""


class Cause(StrEnum):
    """Why a server refused, whatever code it chose for it."""

    UNKNOWN_USER = "unknown_user"
    MAILBOX_DISABLED = "mailbox_disabled"
    BAD_DOMAIN = "bad_domain"
    MAILBOX_FULL = "mailbox_full"
    RECIPIENT_BUSY = "recipient_busy"
    RECIPIENT_RESTRICTED = "recipient_restricted"
    GREYLISTED = "greylisted"
    TOO_LARGE = "too_large"
    SPAM = "spam"
    POLICY = "policy"
    SENDER_UNVERIFIED = "sender_unverified"
    CLIENT_BLOCKED = "client_blocked"
    ACCOUNT_BLOCKED = "account_blocked"
    RELAY_DENIED = "relay_denied"
    RATE = "rate"
    DAILY_QUOTA = "daily_quota"
    SENDER_REFUSED = "sender_refused"
    AUTH_REQUIRED = "auth_required"
    BAD_CREDENTIALS = "bad_credentials"
    APP_PASSWORD = "app_password"  # noqa: S105
    AUTH_DISABLED = "auth_disabled"
    TOKEN_EXPIRED = "token_expired"  # noqa: S105
    TLS_REQUIRED = "tls_required"
    MAIL_LOOP = "mail_loop"
    UTF8_UNSUPPORTED = "utf8_unsupported"
    SERVER_TROUBLE = "server_trouble"
    UNREACHABLE = "unreachable"


# Not part of an IP address or a version of four parts.
_ENHANCED = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)")


def enhanced_code(code: int, text: str) -> str | None:
    """The RFC 3463 code in a reply's words, the first one of the reply code's own class preferred."""
    found: list[str] = _ENHANCED.findall(text)
    return next((each for each in found if each[0] == str(code)[0]), found[0] if found else None)


def name_cause(code: int, text: str, *, stage: Stage, enhanced: str | None = None) -> Cause | None:
    """The cause of a refusal; None when neither its words nor its codes tell.

    `enhanced` is read from the words when not given, as it is in a delivery report (stage `rcpt` there).
    """
    known = enhanced or enhanced_code(code, text) or ""
    words = " ".join(text.casefold().split())
    for sign in _SIGNS:
        if sign.fits(code, known, words, stage):
            return sign.cause
    return None


@dataclass(frozen=True, slots=True)
class _Sign:
    """One way of recognising a cause. All parts given must fit; a part left out fits anything."""

    cause: Cause
    words: tuple[str, ...] = ()
    enhanced: str = ""
    codes: frozenset[int] = frozenset()
    stages: frozenset[Stage] = frozenset()
    _pattern: re.Pattern[str] | None = field(init=False, default=None)
    _enhanced: re.Pattern[str] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        if self.words:
            object.__setattr__(self, "_pattern", re.compile("|".join(self.words)))
        if self.enhanced:
            object.__setattr__(self, "_enhanced", re.compile(self.enhanced))

    def fits(self, code: int, enhanced: str, words: str, stage: Stage) -> bool:
        return (
            (not self.stages or stage in self.stages)
            and (not self.codes or code in self.codes)
            and (self._enhanced is None or self._enhanced.fullmatch(enhanced) is not None)
            and (self._pattern is None or self._pattern.search(words) is not None)
        )


_AUTH: frozenset[Stage] = frozenset({"auth"})
_OPENING: frozenset[Stage] = frozenset({"connect", "ehlo", "auth", "mail"})
_CONTENT: frozenset[Stage] = frozenset({"data", "content"})
_RCPT: frozenset[Stage] = frozenset({"rcpt"})
_TEMPORARY = frozenset(range(400, 500))
_PERMANENT = frozenset(range(500, 600))
_OURS = r"(?:your|sender'?s?|this|the) (?:\w+ )?(?:account|mailbox)"
_THEIRS = r"(?:mailbox|mail box|account|user|recipient|address|inbox|e?-?mail)"
_OUR_HOST = r"(?:your|sending|client|connecting|\bip\b).{0,40}(?:\bip\b|server|network|address|\d\]?)"
_BLOCKLISTS = r"(?:spamhaus|barracuda|spamcop|sorbs|uceprotect|abusix|invaluement)"

# The first that fits wins. What is said of our own account comes before what is said of anybody's mailbox,
# narrow words before wide ones. French and German words are those of French, Swiss and German hosts.
_SIGNS: tuple[_Sign, ...] = (
    _Sign(
        Cause.TLS_REQUIRED,
        (
            r"(?:issue|use|requires?) (?:a |an )?starttls",
            r"starttls (?:is )?(?:required|first)",
            r"encryption (?:is )?(?:required|needed)",
            r"requires? (?:a |an )?(?:tls|ssl|encrypted|secure)",
            r"must use (?:tls|ssl)",
        ),
    ),
    _Sign(Cause.TLS_REQUIRED, enhanced=r"5\.7\.1[01]", codes=frozenset({523, 530, 538})),
    _Sign(
        Cause.AUTH_DISABLED,
        (
            r"basic authentication is disabled",
            r"smtp ?(?:client)?auth(?:entication)? is disabled",
            r"security defaults",
            r"log in via your web browser",
            r"webloginrequired",
        ),
    ),
    _Sign(
        Cause.APP_PASSWORD,
        (
            r"app(?:lication)?[- ](?:specific )?password",
            r"application-specific",
            r"invalidsecondfactor",
            r"mot de passe d.application",
            r"two-factor|2-step",
        ),
        stages=_AUTH,
    ),
    _Sign(Cause.APP_PASSWORD, enhanced=r"5\.7\.9", stages=_AUTH),
    _Sign(Cause.RATE, (r"too many .{0,20}(?:login|auth|attempt|fail|connection)", r"attempts? exceeded"), stages=_AUTH),
    _Sign(Cause.TOKEN_EXPIRED, (r"token.{0,40}(?:expired|invalid)", r"(?:expired|invalid).{0,20}token"), stages=_AUTH),
    _Sign(
        Cause.ACCOUNT_BLOCKED,
        (
            r"(?:account|user|sender|mailbox).{0,30}(?:suspended|locked|compromised|disabled|blocked|deactivated)",
            r"compte.{0,20}(?:suspendu|bloqué|désactivé)",
            r"konto.{0,20}gesperrt",
        ),
        stages=_OPENING,
    ),
    _Sign(
        Cause.ACCOUNT_BLOCKED,
        (
            r"unusual sending activity",
            r"bad outbound sender",
            r"outgoing (?:mail|e-?mail|smtp).{0,20}(?:blocked|disabled|suspended)",
            _OURS + r".{0,30}(?:has been|is) (?:temporarily )?(?:suspended|locked|compromised|blocked)",
            r"envois?.{0,20}bloqué",
        ),
    ),
    _Sign(
        Cause.DAILY_QUOTA,
        (
            r"(?:daily|24[ -]?h).{0,40}(?:limit|quota)",
            r"(?:limit|quota).{0,40}(?:per day|a day|daily|24[ -]?h|par jour|quotidien|journali)",
            r"submissionquotaexceeded",
            r"sending (?:limit|quota).{0,20}exceeded",
            r"exceeded.{0,30}(?:sending|relaying|outgoing).{0,10}(?:limit|quota)",
            r"reached.{0,20}limit for message recipients",
            r"(?:quota|limite) d.envoi",
            r"relaying quota",
        ),
    ),
    _Sign(Cause.DAILY_QUOTA, enhanced=r"5\.4\.5"),
    _Sign(
        Cause.RECIPIENT_BUSY,
        (
            r"user you are trying to contact",
            r"(?:recipient|mailbox).{0,40}(?:receiving (?:mail|messages)|too quickly|at a rate|busy|locked by)",
            r"mailbox (?:is )?temporarily",
        ),
    ),
    _Sign(Cause.GREYLISTED, (r"gr[ea]y ?-?list", r"liste grise")),
    _Sign(
        Cause.SENDER_UNVERIFIED,
        (
            r"unauthenticated (?:e?-?mail|messages?|sender)",
            r"\b(?:spf|dkim|dmarc)\b.{0,60}(?:fail|check|policy|align|pass|permitted|authorized|reject|require)",
            r"(?:not pass|fails?|failed|violat).{0,40}\b(?:spf|dkim|dmarc)\b",
            r"authentication (?:checks|requirements)",
        ),
        stages=frozenset({"mail", "rcpt", "data", "content"}),
    ),
    _Sign(Cause.SENDER_UNVERIFIED, enhanced=r"5\.7\.2[0-7]"),
    _Sign(
        Cause.SPAM,
        (
            r"\b(?:urls?|links?|surbl|dbl|uribl)\b",
            r"(?:message|content|e?-?mail|courriel).{0,60}(?:spam|unsolicited|virus|malware|phish|suspicious|indésirable)",
            r"(?:spam|virus|malware|phish).{0,40}(?:detected|rejected|refused|blocked|found|score)",
            r"looks like spam|spam ?assassin|indésirable|unsolicited",
        ),
        stages=_CONTENT,
    ),
    _Sign(
        Cause.CLIENT_BLOCKED,
        (
            r"client host (?:rejected|.{0,60}blocked)",
            _OUR_HOST + r".{0,60}(?:black ?list|block ?list|blocked|denied|banned|listed|reputation|spam)",
            r"(?:blocked|listed|rejected|found).{0,40}" + _BLOCKLISTS,
            _BLOCKLISTS + r".{0,40}(?:blocked|listed|rejected)",
            r"\brbl\b|dynamic.{0,20}\bip\b|poor reputation|traffic not accepted",
            r"(?:reverse|\bptr\b).{0,30}(?:dns|record|hostname|lookup)",
        ),
    ),
    _Sign(
        Cause.RATE,
        (
            r"too many (?:messages|connections|e?-?mails|recipients|requests|concurrent|sessions|errors)",
            r"concurrent (?:connections|sessions)",
            r"rate[ -]?limit|limit.{0,10}\brate\b|unusual rate|throttl|slow down",
            r"(?:exceed|reached|over).{0,60}(?:\brate\b|hour|minute|\bheure\b)",
            r"sending.{0,20}too (?:fast|quickly|many)",
            r"temporarily deferred due to",
            r"trop de (?:messages|connexions|e?-?mails)",
        ),
    ),
    _Sign(
        Cause.TOO_LARGE,
        (
            r"(?:message|mail|attachment|size|content).{0,50}too (?:big|large|long)",
            r"(?:message|mail|attachment|size|content).{0,50}exceeds.{0,40}(?:size|limit|maximum)",
            r"(?:message|maximum|max|file) size|size limit|taille.{0,30}(?:maximale|dépass)",
        ),
    ),
    _Sign(
        Cause.MAILBOX_FULL,
        (
            _THEIRS + r".{0,60}(?:\bfull\b|quota|out of storage|storage (?:limit|space)|insufficient storage)",
            r"over ?quota|quota (?:has been )?exceeded|exceed.{0,20}quota|out of storage|disk quota",
            r"boîte.{0,40}pleine|quota.{0,20}dépassé|postfach.{0,20}voll",
        ),
    ),
    _Sign(
        Cause.SENDER_REFUSED,
        (
            r"sender address rejected|sender (?:verify|verification) failed|invalid sender|sender.{0,30}not owned",
            r"sender.{0,60}not (?:allowed|authori[sz]ed|permitted|valid)(?! to send to)",
            r"sender.{0,20}(?:refused|mismatch|unknown)|senddenied|sendasdenied|not owned by user",
            r"not (?:allowed|permitted|authori[sz]ed) to (?:send (?:as|from|mail from|on behalf)|use.{0,20}address)",
            r"(?:mail )?from (?:address|header|domain).{0,60}(?:not|must|does)",
            r"expéditeur|absenderadresse",
        ),
    ),
    _Sign(
        Cause.AUTH_REQUIRED,
        (
            r"auth(?:entication|orization)? (?:is )?(?:required|needed|first)",
            r"must (?:first )?(?:authenticate|log ?in)|please (?:authenticate|log ?in)|not (?:logged in|authenticated)",
            r"authentification (?:requise|nécessaire)|authentifizierung erforderlich",
        ),
        codes=_PERMANENT,
    ),
    _Sign(
        Cause.RELAY_DENIED,
        (r"relay.{0,30}(?:denied|not (?:permitted|allowed)|prohibited|refused)", r"(?:unable|not permitted) to relay",
         r"(?:do not|don.t) relay"),
    ),
    _Sign(
        Cause.RECIPIENT_RESTRICTED,
        (
            r"(?:not|n.t) (?:authori[sz]ed|allowed|permitted|permission).{0,20}to send(?: e?-?mail| messages)? to",
            r"only accepts? (?:e?-?mail|messages)|recipnotauth|resolver\.rst|allowed (?:senders? )?list|members? only",
        ),
    ),
    _Sign(
        Cause.MAILBOX_DISABLED,
        (
            _THEIRS + r".{0,60}(?:disabled|inactive|deactivated|suspended|discontinued|closed|deleted|expired)",
            r"(?:boîte|compte|adresse).{0,60}(?:désactivée?|fermée?|suspendue?)",
            r"no longer (?:accept|valid|active|in use|work|employed|available|on (?:this )?server)",
            r"not (?:currently )?accepting (?:mail|messages|e-?mails?)(?! from)",
        ),
    ),
    _Sign(
        Cause.BAD_DOMAIN,
        (
            r"(?:host|domain).{0,60}(?:not found|does(?: not|n.t) exist|unknown|nxdomain|not resolv)",
            r"unrouteable|no (?:mx|route)\b|null ?mx|domain.{0,20}does not accept|unable to (?:look ?up|resolve)",
            r"domaine (?:inconnu|inexistant)|bad destination system",
        ),
    ),
    _Sign(
        Cause.UNKNOWN_USER,
        (
            r"(?:unknown|invalid|no such|bad|undeliverable) (?:user|recipient|mailbox|address|local|account|person)",
            r"user (?:is )?unknown|" + _THEIRS + r".{0,100}(?:does(?: not|n.t) exist|not exist|not found|unknown)",
            _THEIRS + r".{0,100}(?:could not be found|undeliverable|invalid|not a valid|isn.t valid|doesn.t have)",
            _THEIRS + r".{0,100}no mailbox",
            r"recipient(?: address)? rejected: (?:user|access denied|undeliverable|address)",
            r"(?:no|n.t have an?) (?:mailbox|account|user|such)|not a known user|not our customer|mailbox unavailable",
            r"(?:utilisateur|destinataire|adresse|boîte).{0,30}(?:inconnu|inexistant|introuvable)|n.existe pas",
            r"unbekannt|existiert nicht|resolver\.adr|recipnotfound|not listed in|bad destination mailbox",
        ),
    ),
    _Sign(Cause.MAIL_LOOP, (r"(?:mail|routing|forwarding) loop|too many hops|hop count",)),
    _Sign(Cause.UTF8_UNSUPPORTED, (r"smtputf8|internationali[sz]ed",)),
    _Sign(Cause.SPAM, (r"\bspam|unsolicited|bulk mail|phish|virus|malware|\bjunk|indésirable",)),
    _Sign(
        Cause.SERVER_TROUBLE,
        (
            r"(?:insufficient|out of|not enough|low on).{0,20}(?:storage|disk|space|memory|resources)",
            r"queue file|internal|local (?:error|problem)|temporar|try again|try later|unavailable|shutting down",
            r"maintenance|busy|server (?:error|configuration)|réessayer|spool|timeout|timed out|lookup fail",
        ),
        codes=_TEMPORARY,
        stages=frozenset({"connect", "ehlo", "tls", "auth", "mail", "data", "content"}),
    ),
    _Sign(
        Cause.SERVER_TROUBLE,
        (
            r"(?:insufficient|out of|not enough) (?:system )?(?:storage|disk|resources)",
            r"queue file|lookup fail|shutting down",
        ),
        codes=_TEMPORARY,
    ),
    _Sign(
        Cause.BAD_CREDENTIALS,
        (
            r"(?:invalid|incorrect|bad|wrong).{0,30}(?:credential|password|login|user)",
            r"authentication.{0,60}(?:fail|unsuccessful|invalid|rejected|error)|password|login|mot de passe|passwort",
        ),
        codes=_PERMANENT,
        stages=_AUTH,
    ),
    _Sign(
        Cause.POLICY,
        (r"polic(?:y|ies)\b|prohibited|administrative|access denied|rejected by|not accepted|blocked|politique",),
    ),
    # No word told anything: the enhanced code (RFC 3463).
    _Sign(Cause.BAD_CREDENTIALS, enhanced=r"5\.7\.(?:0|1|3|8)", stages=_AUTH),
    _Sign(Cause.SENDER_REFUSED, enhanced=r"[45]\.1\.[78]"),
    _Sign(Cause.UNKNOWN_USER, enhanced=r"[45]\.1\.(?:0|1|3|6)"),
    _Sign(Cause.BAD_DOMAIN, enhanced=r"[45]\.1\.(?:2|10)|5\.4\.4"),
    _Sign(Cause.UNKNOWN_USER, enhanced=r"5\.4\.1", stages=_RCPT),
    _Sign(Cause.MAILBOX_DISABLED, enhanced=r"5\.2\.1"),
    _Sign(Cause.RECIPIENT_BUSY, enhanced=r"4\.2\.[01]"),
    _Sign(Cause.MAILBOX_FULL, enhanced=r"[45]\.2\.2"),
    _Sign(Cause.TOO_LARGE, enhanced=r"[45]\.(?:2\.3|3\.4)"),
    _Sign(Cause.MAIL_LOOP, enhanced=r"[45]\.4\.(?:6|14)"),
    _Sign(Cause.UTF8_UNSUPPORTED, enhanced=r"5\.6\.7"),
    _Sign(Cause.SERVER_TROUBLE, enhanced=r"[45]\.3\.[0125]"),
    _Sign(Cause.POLICY, enhanced=r"[45]\.7\.\d+"),
    # Nor did that: the bare code (RFC 5321, 4.2.3).
    _Sign(Cause.BAD_CREDENTIALS, codes=frozenset({535}), stages=_AUTH),
    _Sign(Cause.AUTH_REQUIRED, codes=frozenset({530})),
    _Sign(Cause.TOO_LARGE, codes=frozenset({552}), stages=frozenset({"mail", "data", "content"})),
    _Sign(Cause.MAILBOX_FULL, codes=frozenset({452, 552}), stages=_RCPT),
    _Sign(Cause.UNKNOWN_USER, codes=frozenset({550, 551, 553}), stages=_RCPT),
)  # fmt: skip
