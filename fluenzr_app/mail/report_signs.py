"""Whether a mail reports about delivery at all, and whether what it reports is only a delay."""

from __future__ import annotations

from enum import Enum

from fluenzr_app.mail.plain_words import plain_words, words_pattern
from fluenzr_app.mail.report_parts import ReportParts


class Kind(Enum):
    """`REPORT` has fields for programs; `FAILURE` is sure to be about a failure; `PERHAPS` must name somebody."""

    REPORT = "report"
    FAILURE = "failure"
    PERHAPS = "perhaps"
    OTHER = "other"


_DAEMON = words_pattern(
    r"daemon|\badmin@|postmaster",
    r"mail ?-?(?:delivery|administrator|admin|server|system|gateway|router|daemon|sub-?system|security)|mailadmin",
    r"maildaemon|delivery (?:sub-?system|status|notification|failure|agent|service)|system administrator|undeliver",
    r"bounce|mailbot|automatic delivery|internet mail|message delivery|smtp|mta\b|mxlogic|administra|メール|邮件",
    r"系统|postmeister|mail\.ru|devolvid|noreply|no-reply|do-?not-?reply|root@|mailserv|mailmaster|majordomo",
    r"emailadmin|antivirus|virus|viruswall|messagelabs|postino|symantec",
)
_SUBJECT = words_pattern(
    r"undeliver|non[- ]?deliver|not (?:be )?deliver|un?able to (?:deliver|send)",
    (
        r"deliver(?:y|ed)?\b.{0,30}(?:fail|problem|error|report|delay|status|notification|notice|warning|issue"
        r"|incomplete|unsuccess)"
    ),
    r"fail(?:ed|ure|ing)?\b.{0,30}(?:deliver|mail|notice|message|send|recipient)",
    r"returned (?:e?-?mail|message|to sender)",
    r"mail (?:failure|error|system error|could not|not sent|delivery|status report|returned)",
    r"could ?n.t be (?:sent|deliver)|could not (?:be )?(?:send|sent|deliver)|bounced? (?:mail|message|e-?mail)",
    r"\[bounce\]|failure notice|warning: (?:could|message|mail|e-?mail)",
    r"message (?:delay|not deliv|could not|undel|status)|user unknown|unknown (?:user|address|recipient)",
    r"delayed mail|(?:mailbox|inbox) (?:is )?(?:full|over|exceed|unavail|disabled)|over quota|quota exceeded",
    r"nondelivery|automatically rejected|e?-?mail address.{0,30}(?:invalid|not valid|no longer)",
    r"non (?:remis|distribu|délivr|livr)",
    r"(?:échec|echec|erreur) .{0,20}(?:remise|distribution|envoi|livraison|message)",
    r"message .{0,20}(?:n.a pas|retour)|retour .{0,20}expéditeur|unzustellbar|nicht (?:\w+ ){0,2}zugestellt",
    r"zustell.{0,20}(?:fehl|nicht)|unerreichbar|no (?:se )?(?:pudo|ha podido|puede) (?:ser )?entreg|no entregad",
    r"devuelt|devolvid|mancat[ao] (?:recapito|consegna)|non (?:recapitat|consegnat)|onbestelbaar",
    r"niet (?:bezorgd|afgeleverd)|não (?:foi )?entreg|falha .{0,20}(?:entrega|envio)",
    r"配信(?:エラー|不能|できま|失敗)|不達|届きません|送信できま|返送|退信|退回|投递失败|发送失败|未送达",
    r"недоставлен|не доставлен|возвра(?:т|щ)|niedostarcz|nie (?:można|udało|dostarcz)|반송|(?:발송|전송).{0,6}실패",
    r"olevererbar|ej levererad|kunne ikke leveres|toimitus|nedoručen|kézbesít",
)
# Words of many other mails too, telling only when a server writes them.
_SUBJECT_OF_DAEMON = words_pattern(
    r"frozen|fail|error|problem|reject|refus|bounce|return|warning|delay|not sent|not deliver|message you sent",
    r"blocked|quarantin|virus|attachment|spam|dsn\b|wrong address|no such|invalid|delivery|deliver|nicht|fehler",
    r"rückläufer|konnte|échec|impossible|retour|erreur|n.a pas|imposible|fallid|rebotad|errore|impossibile|mislukt",
    r"retour|falha|erro\b|エラー|戻り|无法|失败|失敗|ошибк|zwrot|błąd|실패|kunde inte|kunne ikke",
)
_SUBJECT_OF_ANSWER = words_pattern(
    r"out of (?:the )?office|\booo\b|vacation|auto(?:matic|mated)?[- ]?(?:reply|response|answer)|away from",
    r"on (?:holiday|leave|vacation)|absen(?:t|ce|t)|abwesen|réponse automatique|respuesta autom|risposta automatic",
    r"fuori (?:sede|ufficio)|automatisch(?:e)? (?:antwort|antwoord)|resposta autom|自動(?:応答|返信)",
    r"自动(?:回复|答复)|автоответ|autorespon",
    r"(?:your )?(?:message|mail|e-?mail) (?:was |has been )?(?:received|delivered)|thank you for|please confirm",
    r"verify your|confirmation|challenge",
)
_FAILURE_WORDS = words_pattern(
    (
        r"(?:not|n.t|cannot|never) (?:be |been |yet been )?(?:able to )?(?:deliver|sen[dt]\b|reach|process|accept"
        r"|forward)"
    ),
    r"undeliver|non-?deliver|unable to (?:deliver|send|reach|relay|accept|forward|complete)",
    (
        r"(?:delivery|message|mail|recipient|address|transmission|sending|error|e-?mail|it)s?\b.{0,50}?\b(?:fail"
        r"|reject|bounce|refus|return|abort|delay|block|discard|not accepted)"
    ),
    r"fail(?:ed|ure)\b.{0,40}(?:deliver|recipient|send|mail)|did not reach|permanent(?: fatal)? error|fatal error",
    r"user unknown|unknown user|no such user",
    (
        r"(?:mailbox|account|user|quota|inbox).{0,40}(?:full|exceed|exist|unavailable|disabled|unknown|over"
        r"|not found|inactive|closed|no longer)"
    ),
    r"no longer (?:valid|active|in use|in service|accept|available|receiv|work)|smtp error|transcript",
    r"recipient.{0,20}(?:unknown|rejected)|still trying|yet to be delivered|postponed|rcpt to|remote host said",
    r"giving up|not a valid (?:user|address|recipient|mailbox)|error.{0,20}deliver|<<< [45]\d\d|\b55[0-4][ -]",
    r"n.a (?:pas )?(?:pu|été)|n.est pas parvenu|introuvable|n.ont (?:pas )?pu|échec|non (?:remis|distribu|délivr)",
    r"inconnu|unzustellbar|nicht (?:\w+ ){0,3}(?:zugestellt|gesendet|ausgeliefert|übermittelt|erreich)|unbekannt",
    r"no (?:se )?(?:pudo|pudieron|entreg|ha podido|ha sido|existe)",
    r"non (?:è stato|è|può|ha|sono).{0,30}(?:possibile|recapit|consegn|inviat|potuto)|impossibile",
    r"niet (?:\w+ ){0,3}(?:bezorgd|afgeleverd|verzonden|bereikt)|não (?:foi|pôde|pode|existe)|não entreg|rejeitad",
    r"devolvid|配信(?:できま|不能|に失敗|エラー)|送信(?:できま|エラー|に失敗)|届きません|届けでき|不達|存在しま",
    r"宛先不明|无法|無法|退信|失败|失敗|未能|不存在|не (?:может|могло|могли|было|удалось|доставлен|найден)|недостав",
    r"nie (?:mogła|może|został|można|udało|istnieje)|niedostarcz|반송|실패|존재하지|kunde inte|kunne ikke",
)  # fmt: skip
_DELAYED = words_pattern(
    r"warning only|yet to be delivered|has been frozen|still (?:trying|being (?:attempted|tried)|in (?:the )?queue)",
    (
        r"(?:will|shall) (?:keep|continue|be (?:re-?tried|attempted|kept))(?: \w+){0,3}(?: to)? ?(?:try|retry"
        r"|attempt|deliver|re-?tr|until|for)"
    ),
    r"will (?:re)?try (?:again|to deliver|for|until)|will be (?:retried|re-?attempted)",
    r"no (?:further )?action (?:is )?(?:required|needed)|(?:not|n.t) need to (?:re-?send|do anything|take)",
    r"warning message only|has not yet been (?:delivered|able)|has been postponed|continue to (?:try|attempt)",
    r"not yet been delivered|(?:has been|is|was|been) delayed",
    r"delivery (?:is |has been |attempts? |of ).{0,40}(?:delayed|will continue)|delayed (?:mail|delivery)",
    r"attempts? (?:to deliver.{0,60})?will continue|will continue to (?:try|attempt|be)|retry (?:until|for the)",
    r"keep trying|temporarily (?:delayed|deferred)|(?:this is|just) (?:only )?a warning|incomplete.{0,30}retry",
    r"tentatives? .{0,40}(?:se poursuiv|continu|encore)|nouvelle tentative|retard[ée]|weitere (?:zustell)?versuche",
    r"verzöger|wird weiter|noch nicht zugestellt|se seguirá intentando|seguirá intentando|retras|ritard",
    r"verrà ritentat|nuovi tentativi|vertraag|opnieuw (?:geprobeerd|proberen)|atras|continuará tentando|再送|遅延",
    r"遅れて|再度(?:送信|配信)|継続して|延迟|延遲|稍后.{0,6}重试|继续尝试|будет продолж|повторн|задерж|opóźni",
    r"ponown|지연",
)  # fmt: skip
_GIVEN_UP = words_pattern(
    r"giv(?:en|ing) up|gave up|no longer (?:be )?(?:try|tried|attempt)|will not (?:be )?(?:re-?tr|try|attempt)",
    r"not (?:going to )?(?:try|retry|be retried)|permanent(?:ly)? (?:error|fail|fatal)|has been returned",
    r"being returned|removed from the queue|not be (?:tried|attempted) again|delivery (?:has )?failed",
    r"was not delivered|failed permanently|fatal errors|expired|has been rejected|did not reach",
)
_RESPONSE = words_pattern(
    r"to (?:complete|confirm|verify).{0,60}(?:delivery|sender|human|click)|challenge",
    r"verify (?:that )?(?:you are|your)|whitelist|approved senders?",
    r"click (?:on )?(?:the )?(?:link|here|below).{0,60}(?:deliver|confirm|verify|release)",
    r"i(?:'m| am) (?:currently )?(?:out of|away|on (?:holiday|leave|vacation))|out of (?:the )?office",
    r"will (?:be )?(?:return|back) (?:on|to|in)",
)
_CHALLENGE = words_pattern(
    r"(?:wait ?listed|guest list|pre-?approved sender|approve yourself|add yourself to)",
    (
        r"click (?:on )?(?:the )?(?:link|button)? ?(?:here|below)?.{0,30}(?:to be added|to (?:confirm"
        r"|verify) (?:that )?you)"
    ),
)
_SUCCESS = words_pattern(
    r"success|relayed to non-dsn|return receipt|(?:has|have) been (?:delivered|received|relayed)|\(relay\)",
    r"\b(?:relayed|expanded|delivered):|correctement remis|erfolgreich zugestellt|entregado correctamente",
    r"consegnato correttamente|已成功|配信されました",
)
_REPLY_SUBJECT = words_pattern(r"\s*(?:re|aw|sv|rif|antw|odp|回复|答复)\s*:")
# Dovecot and Sieve send a rejection in the form of a receipt (RFC 5429, 2.1.1).
_REJECTED = words_pattern(r"(?:automatically|was|has been) (?:automatically )?rejected|refused by")
_NOT_REPORT = frozenset({"feedback-report", "disposition-notification", "mdn"})


def kind_of_mail(parts: ReportParts) -> Kind:
    """What kind of mail it is; see `Kind`."""
    if parts.report_type in _NOT_REPORT or _has_only_a_receipt(parts):
        return Kind.FAILURE if _REJECTED.search(plain_words(parts.notice[:6000])) else Kind.OTHER
    if parts.status and not parts.has_status_part and _is_quoted(parts.status):
        # Somebody answers a report, or a server quotes one.
        return _kind_by_signs(parts)
    if parts.has_status_part or parts.status:
        return Kind.OTHER if _CHALLENGE.search(plain_words(parts.notice[:6000])) else Kind.REPORT
    if parts.header("X-Failed-Recipients"):
        return Kind.FAILURE
    return _kind_by_signs(parts)


def _kind_by_signs(parts: ReportParts) -> Kind:
    subject, sender, notice = (
        plain_words(each) for each in (parts.header("Subject"), parts.header("From"), parts.notice[:12_000])
    )
    daemon = bool(_DAEMON.search(sender)) or not sender or _null_sender(parts)
    speaks = bool(_FAILURE_WORDS.search(notice))
    about = bool(_SUBJECT.search(subject) or (daemon and _SUBJECT_OF_DAEMON.search(subject)))
    answer = bool(_SUBJECT_OF_ANSWER.search(subject)) and not about
    if _SUCCESS.search(f"{subject}\n{notice[:3000]}") and not _FAILURE_WORDS.search(notice[:3000]):
        return Kind.OTHER
    if answer or (_is_automatic_answer(parts) and not daemon and not about):
        return Kind.OTHER
    answered = _REPLY_SUBJECT.match(subject) and (parts.header("In-Reply-To") or "\n>" in parts.notice)
    if not daemon and (answered or (parts.header("List-Id") and not about)):
        return Kind.OTHER
    if _RESPONSE.search(notice[:3000]) and not (daemon and about):
        return Kind.OTHER
    if about and ((speaks and (daemon or parts.returned)) or (daemon and parts.returned)):
        return Kind.FAILURE
    if (speaks and (daemon or about)) or (daemon and about):
        return Kind.PERHAPS
    return Kind.OTHER


def says_delayed(parts: ReportParts) -> bool:
    """Whether the report is a warning while the server goes on trying."""
    text = plain_words(parts.notice[:6000])
    if _DELAYED.search(text) or _DELAYED.search(plain_words(parts.header("Subject"))):
        return not _GIVEN_UP.search(text)
    return False


def _is_quoted(status: str) -> bool:
    return all(line.startswith(">") for line in status.split("\n") if "-recipient:" in line.lower())


def _null_sender(parts: ReportParts) -> bool:
    return parts.header("Return-Path").replace(" ", "") == "<>"


def _is_automatic_answer(parts: ReportParts) -> bool:
    auto = parts.header("Auto-Submitted").lower()
    return (
        auto.startswith("auto-replied")
        or any(parts.header(name) for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Response-Suppress"))
        or parts.header("Precedence").lower() in ("auto_reply", "auto-reply")
    )


def _has_only_a_receipt(parts: ReportParts) -> bool:
    """A read receipt or an abuse report that says so in a part only."""
    kinds = {part.get_content_type().lower() for part in parts.head.walk()} if not parts.has_status_part else set()
    return bool(kinds & {"message/disposition-notification", "message/feedback-report"})
