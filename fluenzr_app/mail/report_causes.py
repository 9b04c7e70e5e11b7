"""Why a delivery failed for good, read from a report's words, and whether that makes the bounce hard or soft.

| cause                                                        | class | because                                      |
| ------------------------------------------------------------ | ----- | -------------------------------------------- |
| no such user, mailbox closed, moved away, no such domain     | hard  | no later attempt can succeed                 |
| mailbox full, busy, greylisted, host unreachable, time out   | soft  | the address exists; another day may do       |
| size, spam, virus, policy, relay, rate, sender, content      | soft  | said of the mail or of us, not of the address |
| no word known: 5.x.x                                         | hard  | the server calls it permanent                |
| no word known: 4.x.x, or no code at all                      | soft  | nothing says that it is for ever             |

Words come first, since 5.x is given for all of these. Replies during a send are judged by `causes.name_cause`
alone; reports quote other programs, expire in queues and speak many languages, hence these signs before it.
"""

from __future__ import annotations

import re
from typing import Literal

from fluenzr_app.mail.causes import Cause, Stage, enhanced_code, name_cause
from fluenzr_app.mail.plain_words import plain_words, words_pattern

BounceClass = Literal["hard", "soft", "delayed"]

_HARD = frozenset({Cause.UNKNOWN_USER, Cause.MAILBOX_DISABLED, Cause.BAD_DOMAIN})
_CODES = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.]*\d)|(?<![\d.\-:])[45]\d\d(?=[ \-:,;)\]#]|$)")
_REPLY_CODE = re.compile(r"(?<![\d.\-:@/=])([45][0-5]\d)(?=[ \-:,;)\]#]|$)")
_LONGEST = 2500

_BOX = (
    r"\b(?:e-?mail ?box|mail ?box|mail (?:box|file|directory|folder)|account|inbox|user|recipient|e-?mail|address"
    r"|addressee|customer|subscriber)\b"
)
_NOT_OF_SENDER = r"(?<!sender )(?<!sender's )(?<!sender address )(?<!your )"

# The first that fits wins. Within a class order does not matter to the bounce; what is soft and easily mistaken
# for an unknown user comes before it.
_WORDS: tuple[tuple[Cause, str], ...] = (
    (
        Cause.RELAY_DENIED,
        r"(?:domain|host).{0,30}list of allowed rcpthost|not a (?:registered )?gateway|(?:don.t|do not"
        r"|n.t) handle mail for|relay(?:ing)?.{0,30}(?:denied|not (?:permitted|allowed)|prohibited|refused|reject"
        r"|disabled)"
        r"|(?:unable|not permitted|not allowed|cannot|refus\w+|no) (?:to )?relay|(?:do not|don.t|not an open) relay"
        r"|use me .{0,40}as a relay|we do not relay"
        r"|not (?:a )?(?:local|permitted|allowed) (?:host|domain|relay)|relais (?:refusé|interdit)",
    ),
    (
        Cause.SENDER_REFUSED,
        r"(?:domain of )?sender(?:'s)?(?: e?-?mail)?(?: address| domain| verify| verification| host)?\b.{0,60}?"
        r"(?:does not exist|unknown|not found|rejected|refused|denied|fail|invalid|not resol|unresolv|not allowed)"
        r"|call(?:back|out) .{0,30}fail|envelope sender|return[- ]path.{0,40}(?:invalid|reject|not|unknown)"
        r"|mail from:? ?<?.{0,60}(?:denied|refused|rejected|invalid|unresolv|not resolve|does ?n.t exist)"
        r"|sender ?domain|from address.{0,30}(?:blocked|reject|denied)|no accounts? found for sender"
        r"|cannot resolve your (?:domain|address)|bogus mail from|(?:é|e)metteur invalide|\bbatv\b|backscatter"
        r"|third-party dsn|unsigned dsn|sender address.{0,40}(?:black|block|list)|from:? domain|domain of sender"
        r"|unrout\w+ sender|address is not verified|fully qualified e?-?mail|\\bfrom: domain|unresolvable sender"
        r"|do(?:es)? not accept mail from",
    ),
    (
        Cause.MAILBOX_FULL,
        _BOX + r".{0,60}?\b(?:is|are|was|has)? ?(?:\bfull\b|over (?:its |the |their |disk )*(?:quota|limit)|overquota"
        r"|out of (?:disk|storage|space)|(?:exceed|reached|above)[a-z]* .{0,30}(?:quota|storage|limit|space|size))"
        r"|quota.{0,20}(?:exceed|full|reached|violat|limit)|over ?-?(?:the )?(?:maximum |allowed |disk )*quota"
        r"|exceed.{0,40}(?:quota|storage (?:limit|space|allocation)|mailbox size|mailbox limit)"
        r"|(?:mailbox|maildir|inbox|box|mail file).{0,20}\bfull\b|full (?:mailbox|inbox)|not enough (?:space|storage) "
        r"|(?:insufficient|not enough|no more|no) (?:disk |storage |free )*(?:space|storage)"
        r".{0,40}(?:user|mailbox|account|recipient|inbox)|user has too many messages|too many messages (?:in|on)"
        r"|account.{0,30}too many (?:messages|mails)|zu ?viele mails|mail ?box.{0,30}(?:too large|size limit)"
        r"|(?:does not|doesn.t|n.t) have (?:enough|sufficient) (?:disk )?(?:space|storage)|box space not enough"
        r"|would exceed .{0,30}(?:quota|mailbox)|maildir.{0,20}over|delivery over quota|disk ?quota"
        r"|message store.{0,20}full"
        r"|boîte.{0,50}(?:pleine|saturée)|destinataire pleine|too much mail data|space has been used up"
        r"|quota.{0,30}(?:dépassé|atteint)|(?:postfach|mailbox|konto).{0,50}(?:voll\b|überfüllt"
        r"|überschritten)|buz[oó]n.{0,40}(?:lleno|llena|excedid)|cuota.{0,30}(?:excedid|superad)|quota.{0,30}excedid"
        r"|casella.{0,50}(?:piena|esaurit)|mailbox.{0,20}\bvol\b|(?:caixa|conta).{0,40}(?:cheia|lotada|excede)"
        r"|容量.{0,20}(?:超|オーバー|いっぱい)|メールボックス.{0,20}(?:超|いっぱい|満)|(?:邮箱|信箱|郵箱|空间|空間).{0,12}(?:已?满|已?滿|不足|超)"
        r"|(?:ящик|квота).{0,40}(?:переполн|превыш|заполнен)|skrzynk.{0,30}(?:pełn|przepełn)"
        r"|przekroczon.{0,20}(?:limit|quot)"
        r"|편지함.{0,20}(?:초과|가득)|용량.{0,12}(?:초과|부족)",
    ),
    (
        Cause.RECIPIENT_RESTRICTED,
        r"not (?:currently )?accepting (?:mail|messages|e-?mails?) (?:from|with|of|that)|only accepts? (?:e-?mail"
        r"|messages|mail)"
        r"|(?:not|n.t) (?:have )?(?:authori[sz]ed|allowed|permitted|permission).{0,30}to send (?:e-?mails? "
        r"|messages? |mail )?to (?:this|the|that)"
        r"|sender .{0,40}(?:not on|is not in) .{0,30}(?:list|allowed)|restricted.{0,30}(?:sender|recipient)"
        r"|does not accept (?:mail|messages) from (?:your|this|external)",
    ),
    (
        Cause.RECIPIENT_RESTRICTED,
        r"members?[- ]only|permission to post|non-?members?|closed (?:mailing )?list|not (?:a )?(?:subscri\w+|members?)\b"
        r"|list of senders|from specific"
        r"|user(?:.s)? rules?|recipient(?:.s)? (?:preferences|rules?|settings)|protected by|refuses? to receive"
        r"|organi[sz]ational settings"
        r"|rule imposed|user reject|sender ?filter|does not want|only accept",
    ),
    (
        Cause.MAILBOX_DISABLED,
        _NOT_OF_SENDER
        + _BOX
        + r"(?! is not allowed)[^.;]{0,60}?\b(?:disabled|inactive|de-?activated|suspended|discontinued"
        r"|(?:is|been|was) (?:closed|deleted|removed|cancell?ed|terminated|expired|locked|frozen|blocked)"
        r"|not (?:an )?active|not enabled"
        r"|inactivity|is unavailable\b.{0,20}permanent|dormant|obsolete|has moved|no longer)"
        r"|(?:disabled|inactive|deactivated|suspended|closed|expired|dead|cancell?ed|terminated)"
        r" (?:user|account|mailbox|recipient|address|e?-?mail)"
        r"|no longer (?:here|accept|valid|active|in use|in service|work|employed|available|exist|with|at|a customer"
        r"|on (?:this )?server)"
        r"|(?:user|recipient|person|employee).{0,30}(?:has|have) (?:left|moved|changed)|has left the (?:company|organi)"
        r"|not (?:currently )?(?:accepting|receiving) (?:any )?(?:mail|messages|e-?mails?)(?! (?:from|with|of|that"
        r"|sent))|account.{0,20}on hold"
        r"|(?:boîte|compte|adresse).{0,60}(?:désactivé|fermé|suspendu|supprimé|résilié|n.est plus)"
        r"|(?:konto|postfach|adresse|account).{0,40}(?:deaktiviert|gesperrt|gelöscht|stillgelegt|nicht mehr)"
        r"|(?:cuenta|buz[oó]n).{0,40}(?:desactivad|deshabilitad|inactiv|cancelad|suspendid)"
        r"|(?:casella|account|utente).{0,40}(?:disattivat|disabilitat|sospes|chius|non (?:è )?più)"
        r"|(?:conta|caixa).{0,40}(?:desativad|desabilitad|suspens|cancelad|encerrad|bloquead)"
        r"|(?:ящик|аккаунт|пользовател).{0,40}(?:отключ|заблокир|удал|неактив)|konto.{0,30}(?:zablokowan|nieaktywn"
        r"|wyłączon)"
        r"|(?:账号|帐号|帳號|邮箱|用户).{0,12}(?:停用|禁用|冻结|锁定|注销)|휴면|탈퇴",
    ),
    (
        Cause.UNREACHABLE,
        r"could(?:n.t| not) find a gateway|malformed (?:or unexpected )?name ?server reply"
        r"|name service error.{0,120}(?:try again|temporary)|host (?:not found|name lookup failure),? (?:try again"
        r"|temporar)"
        r"|temporary.{0,30}(?:name|dns|resolution|lookup|resolver)|(?:dns|domain|name).{0,30}(?:temporar"
        r"|time ?d? ?out|servfail|soft)"
        r"|name server:? timeout|name server timeout|domain name lookup.{0,20}(?:time|temp)|lookup did not complete"
        r"|cname lookup failed temporarily|dns (?:query|lookup|error"
        r"|failure)"
        r"|(?:mx|host|hosts?|name) lookup (?:temporarily|failure)",
    ),
    (
        Cause.BAD_DOMAIN,
        r"(?:host|domain|system"
        r"|hostname)(?: or domain)?(?: name)?(?! of sender)(?![^.;]{0,80}said)[^.;]{0,60}?(?:not found|does(?: not"
        r"|n.t) exist|unknown"
        r"|nxdomain|not resol|is not valid|invalid|non-?exist|couldn.t be found|could not be (?:found|resolved)"
        r"|not listed in dns)"
        r"|no smtp service|name or service not known|nodename nor servname|no address associated"
        r"|(?:unknown|no such|invalid|bad|non-?existent|illegal|unrecogni[sz]ed) (?:host|domain|hostname|mail domain"
        r"|destination|mx)"
        r"|could(?:n't| not) find any host|dns records? .{0,60}(?:not be found|not found|do not exist)"
        r"|can ?not find (?:a |the )?(?:mx|mail exchanger|host)|no (?:mx|mail exchanger|a) record"
        r"|unable to (?:look ?up|resolve|find)(?: the)? (?:host|domain|mx|address|destination)|null ?mx"
        r"|does not (?:accept|receive) (?:any )?(?:e?-?mail|messages)"
        r"|unrouteable (?:mail )?(?:domain|address)|no route to domain|all (?:relevant )?mx records.{0,20}(?:do not"
        r"|localhost|point)"
        r"|domain .{0,60}(?:no mail exchangers|has expired|isn.t in my list)|mx list for .{0,80} points back"
        r"|domaine.{0,40}(?:inconnu|inexistant|introuvable|n.existe)|domain.{0,40}(?:unbekannt|nicht gefunden"
        r"|existiert nicht)"
        r"|dominio.{0,40}(?:no existe|inexistente|desconocido|no encontrado|non esiste|sconosciuto)"
        r"|domínio.{0,40}(?:não existe|inexistente)"
        r"|ドメイン.{0,30}(?:存在しな|見つか)|域名.{0,16}(?:不存在|无法解析|错误|解析失败)|домен.{0,40}(?:не (?:найден|существует))",
    ),
    (
        Cause.UNKNOWN_USER,
        r"(?:unknown|invalid|no such|bad|undeliverable|nonexist(?:ent|ing)?|non-existent|incorrect|unrecogni[sz]ed"
        r"|wrong"
        r"|illegal|not a valid|unable to find|couldn.t find|could not find|can ?not find|no valid"
        r"|no local) (?:e?-?mail |local |internal |"
        r"remote |email )?(?:users?|recipients?|mailbox|address(?:ee)?|account|person|alias|name|mailbox name"
        r"|destination address|box)\b"
        r"|(?:user|recipient|mailbox|address|account|addressee|name|customer|inbox|alias|box"
        r"|person)\b(?! has)[^;]{0,80}?(?:does(?: not|n.t) exist|not exist"
        r"|not (?:be )?found|unknown|not known|not recogni[sz]ed|is invalid|isn.t valid|not (?:a )?valid"
        r"|could not be found|couldn.t be found"
        r"|wasn.t found|not (?:listed|registered|present|defined|configured|local|here)|no mailbox|doesn.t have"
        r"|does not have|not in (?:the |our )?"
        r"(?:directory|database|list)|cannot be found|can.t be found|nonexistent|non-existent|ambiguous|not unique"
        r"|not in my|not a (?:local|known))"
        r"|user ?unknown|unknown[ _-]?user|no (?:mailbox|account|user|person|recipient|such)\b.{0,40}(?:here"
        r"|by that name|with that|found|exist|named|in|at)"
        r"|not (?:our|a known|an? existing) (?:customer|user|member|address)|this user doesn.t have"
        r"|there is no (?:user|account|such|one)"
        r"|not listed in (?:domino|public|the)|several matches|no match(?:es)? .{0,20}(?:query|nameserver|directory"
        r"|found)|invalid (?:final )?(?:delivery )?user ?id|(?:address|recipient|rcpt)(?: address)? (?:rejected"
        r"|refused): ?(?:user|undeliverable|address|no)"
        r"|(?:utilisateur|destinataire|adresse|boîte|compte|bal)\b.{0,50}(?:inconnu|inexistant|introuvable|invalide"
        r"|erroné)|n.existe pas|pas (?:de boîte|trouvé)"
        r"|(?:benutzer|empfänger|adresse|postfach|mailadresse|teilnehmer).{0,50}(?:unbekannt|nicht gefunden"
        r"|existiert nicht|nicht vorhanden|ungültig|gibt es nicht|nicht bekannt)"
        r"|unbekannte[rs]? (?:benutzer|empfänger|adresse)|existiert nicht|kein (?:benutzer|postfach|account)"
        r"|(?:usuario|buz[oó]n|cuenta|direcci[oó]n|destinatario).{0,50}(?:desconocid|no existe|inexistente"
        r"|no (?:se )?encontr|inv[aá]lid|no v[aá]lid)"
        r"|(?:utente|casella|indirizzo|destinatario).{0,50}(?:sconosciut|inesistente|non esiste"
        r"|non (?:è )?(?:stato )?trovat|non valid)"
        r"|(?:usuário|usuario|conta|caixa|endereço|destinatário).{0,50}(?:desconhecid|inexistente|não (?:existe"
        r"|encontrad|foi encontrad)|inválid)"
        r"|(?:gebruiker|adres|postbus|ontvanger|mailbox).{0,50}(?:onbekend|bestaat niet|niet gevonden|niet bekend)"
        r"|(?:użytkownik|adres|konto|skrzynk|odbiorc).{0,50}(?:nieznan|nie istnieje|nie ma|nieprawidłow)"
        r"|(?:пользовател|адрес|ящик|получател|аккаунт).{0,50}(?:не (?:найден|существует|зарегистр)|неизвест"
        r"|нет такого)|нет такого"
        r"|(?:ユーザ|宛先|アドレス|メールボックス|受信者).{0,40}(?:存在しな|存在しません|見つかり|不明|ありません|誤り|無効)|存在しません"
        r"|(?:用户|用戶|收件人|邮箱|郵箱|地址|帐号|账号|帳號|使用者|信箱).{0,20}(?:不存在|未找到|找不到|无效|無效|没有找到|错误)|不存在"
        r"|(?:사용자|수신자|메일 ?주소|계정|받는 ?사람).{0,20}(?:없|존재하지|찾을 수)|存在しない"
        r"|(?:användare|mottagare|adress|bruger|modtager|bruker|mottaker).{0,40}(?:okänd|finns inte|ukendt"
        r"|findes ikke|ukjent|finnes ikke)"
        r"|mail address you.{0,40}(?:incorrect|wrong)|resolver\.adr|recipnotfound|bad destination mailbox"
        r"|ldap: ?no such|unknown local-?part|mailbox not found|mail ?box (?:is )?(?:unavailable|not available)|did not exactly match|does not like recipient",
    ),
    (
        Cause.UNREACHABLE,
        r"connection (?:was )?(?:refused|timed? ?out|reset|dropped|closed|died|lost|failed|failure|aborted"
        r"|to .{0,60}failed)"
        r"|(?:no route to|unreachable|unable to (?:connect|contact)|can(?:no|')t connect|could(?: not|n.t) connect"
        r"|couldn't establish|failed to connect"
        r"|network (?:is )?unreachable|host (?:is )?(?:unreachable|down))|(?:operation|conversation|connect"
        r"|connection|delivery|time|retry|message)"
        r" ?(?:timed out|time ?-?out|timeout|time expired|expired)|(?:retry|delivery|message|queue"
        r"|time).{0,20}(?:time|timeout|expir).{0,20}"
        r"(?:exceed|not reached|expir)|(?:has been|was|been) (?:in the queue|queued) (?:too long|for)"
        r"|in (?:the )?queue too long|too long in (?:the )?queue"
        r"|long failure period|failing for a long time|(?:multiple|numerous|several|many) (?:retries|attempts|tries)"
        r"|not reachable|queue period|(?:message|mail|delivery) (?:has )?expired|expired after|max(?:imum)? (?:retry"
        r"|number of|delivery)|failed \d+ attempts|\d+ (?:unsuccessful |failed )?attempts|not been collected|(?:given"
        r"|giving) up after"
        r"|not (?:be )?delivered (?:within|after|for)|(?:could not|unable to|wasn.t able to).{0,30}(?:within"
        r"|for the last|for the past) |retried (?:too many|for)|unavailable for too long"
        r"|no (?:answer|response|reply) from|not respond|did not answer|time ?limit|host name lookup|did not respond"
        r"|wasn.t able to establish an smtp"
        r"|délai.{0,40}(?:dépassé|expiré)|zeitüberschreitung|zeit.{0,30}überschritten|tiempo.{0,30}(?:agotad|excedid)"
        r"|tempo.{0,30}scadut|连接.{0,12}(?:超时|失败|拒绝)|超时|タイムアウト|接続.{0,12}(?:失敗|できま)"
        r"|\b[45]\.4\.7\b|queue\.expired|dhaexpired|loop ?back|deferred",
    ),
    (
        Cause.MAIL_LOOP,
        r"(?:mail|routing|forwarding|message).{0,12}\bloop|too many (?:hops|received)|hop count|\bloops? back"
        r"|mail.{0,10}looping|boucle",
    ),
    (
        Cause.TOO_LARGE,
        r"(?:message|mail|attachment|size|content|file|body|header).{0,60}(?:too (?:big|large|long)"
        r"|exceed.{0,40}(?:size|limit|maximum|length)|larger than)"
        r"|too large|size (?:limit|exceed|restriction)|exceeds? (?:the )?(?:maximum|max|fixed|size|allowed)"
        r"|max(?:imum)? (?:message )?size|(?:taille|size).{0,30}(?:maximale|dépass)"
        r"|trop (?:gros|volumineux)|zu groß|demasiado grande|troppo grande|muito grande|te groot|サイズ.{0,20}(?:超|大き)"
        r"|(?:邮件|附件).{0,10}(?:过大|太大)|\b5\.3\.4\b|\b5\.2\.3\b",
    ),
    (
        Cause.SPAM,
        r"\bspam|unsolicited|\bjunk|bulk (?:e?-?mail|mail)|\buce\b|\bube\b|virus|malware|phish|infected|worm\b|trojan"
        r"|suspicious|blocked content|spoof|fraud"
        r"|banned (?:content|file|attachment|extension)|attachment.{0,40}(?:not allowed|prohibited|blocked|banned"
        r"|removed|type)|\b(?:uribl|surbl|dbl)\b|pourriel|indésirable|垃圾|病毒|迷惑メール|спам|вирус|스팸",
    ),
    (
        Cause.CLIENT_BLOCKED,
        r"\b(?:bad|banned|sending|sender|client|source|your|server|unverif\w+)\b.{0,24}\bips?\b"
        r"|\bip\b.{0,40}(?:reputation|profile|listed|mismatch|block|abus)"
        r"|reputation|\bdnsbl|\bx?rbl\b|block[- ]?list|black[- ]?list|open (?:proxy|relay)|listed (?:as|in|at|on|by)"
        r"|your (?:host ?name|mail ?server|server|network|ip)"
        r"|reverse (?:dns|lookup)|\bptr\b|not accepting connections|go away|no access from|\bspf\b|\bdkim\b|\bdmarc\b"
        r"|responsible address|this mail server"
        r"|after initial connection|mismatch\w* client|valid recipients from|spamhaus|barracuda|spamcop"
        r"|too many unwanted",
    ),
    (
        Cause.RATE,
        r"too many (?:smtp |concurrent |simultaneous )?(?:sessions|connections|messages|e-?mails|recipients|errors)"
        r"|connection limit|rate[ -]?limit|throttl|exceeds? .{0,30}(?:rate|per (?:hour|day|minute))",
    ),
    (
        Cause.AUTH_REQUIRED,
        r"authenticat|\btls (?:is )?required|authentification|not authori[sz]ed to perform|verification fail"
        r"|not subscribed to ses",
    ),
    (
        Cause.POLICY,
        r"8-?bit|mime header|base64|improper|malformed|header (?:error|field|syntax)|content[- ](?:error|type)"
        r"|invalid (?:header|mime|message)|line (?:limit|length|too long)|bare (?:lf|cr|newline)"
        r"|no subject|missing (?:from|date|to|subject)|without (?:to|from|subject)|protocol violation|syntax error"
        r"|rfc ?\d+ (?:violation|complian)|not rfc|attachment|low priority|multiple addresses|captcha|bounced due to"
        r"|resent-from"
        r"|signature|encrypt",
    ),
)
_COMPILED: tuple[tuple[Cause, re.Pattern[str]], ...] = tuple((cause, words_pattern(words)) for cause, words in _WORDS)

_TROUBLE = words_pattern(
    r"mailer error|procmail|x-unix; ?\d|exit \d|local error|interrupted|misconfigured|config(?:uration)? error"
    r"|encountered an error|could not load|temporary (?:local )?(?:problem|failure)|transaction failed|timeout"
    r"|delivery error|try again|unexpected|can(?:no|')t (?:create|open|lock|write)|local (?:configuration"
    r"|delivery) (?:error|fail)|configuration (?:error|problem)|command (?:died|failed|timed)"
    r"|internal (?:server )?error|system (?:error|problem|is unable)|i/o error|permission denied|pipe (?:to|returned)"
    r"|child (?:process|crash)|core dump|out of memory|service (?:is |currently |temporarily )*(?:unavailable"
    r"|not available)"
    r"|server error|software (?:error|caused)|not accepting network|unable to open|lock ?file"
    r"|no such file or directory|resources temporarily|exit (?:code|status)|signal \d"
)  # fmt: skip
_REFUSED = words_pattern(
    r"requires? (?:confirmation|verification)|white ?list|pre-?approved|blocked|black ?list|denied|rejected|refused"
    r"|not (?:accepted|allowed|permitted|authori[sz]ed)|prohibited|polic(?:y|ies)|forbidden|administrative|restricted"
    r"|relay|filter|disallowed"
    r"|abgelehnt|verweigert|refusé|rejeté|rechazad|rifiutat|recusad|rejeitad|geweigerd|拒否|拒绝|拒收|отклонен|odrzucon"
)

_OF_RECIPIENT = words_pattern(r"recipient|address|user|mailbox|account|rcpt|destinat|empfänger|alias|customer|person")
_NARROW_STATUS = re.compile(r"[45]\.[1-7]\.[1-9]\d{0,2}")
_TELLING_STATUS = re.compile(r"[45]\.[12]\.[1-9]\d?")
_FOR_EVER = words_pattern(r"permanent|fatal|dauerhaft|définiti|permanente|永久|恒久|постоянн")

_AFTER_CONTENT = re.compile(
    r"(?:reply to|after|response to).{0,20}(?:end of data|sending message|\bdata\b)|>>> (?:data|\.)|\[(?:data"
    r"|data_end|eom|message)\]|end of data|after .{0,12}\bdata\b|in data\b",
    re.I,
)
_AFTER_MAIL = re.compile(
    r"(?:reply to|after|response to|>>>)[ :]{0,3}(?:pipelined )?(?:end of )?(?:<?mail from|mail\b|helo|ehlo)"
    r"|\[mail_from\]",
    re.I,
)
_AFTER_CONNECT = re.compile(
    r"while (?:talking|connecting)|initial (?:connection|greeting)|after (?:initial )?connect|refused to talk to me"
    r"|220 greeting",
    re.I,
)


def cause_of_report(words: str, near: str, status: str) -> Cause | None:
    """The cause told by the diagnostic `words`, by what stands `near` the address, or by the codes of either.

    `status` is the report's own RFC 3463 code, empty when it has none.
    """
    if not words and _TELLING_STATUS.fullmatch(status):
        # What stands near may be a footer; a code this narrow is not.
        return name_cause(_code_of(status), "", stage="rcpt", enhanced=status)
    told = cause_in_words(words) or (cause_in_words(near) if near != words else None)
    if told is not None:
        return told
    said = _flat(words or near)
    if _REFUSED.search(said) and not _OF_RECIPIENT.search(said) and not status.startswith("5.1."):
        return Cause.POLICY
    if (
        said.strip(" .0123456789-:;")
        and not _OF_RECIPIENT.search(said)
        and not _NARROW_STATUS.fullmatch(best_status(words, near, status))
    ):
        # 550 and 5.0.0 are said of anything. What speaks of nobody's mailbox, in words never met, is not about one.
        return None
    stage = stage_of_report(f"{words} {near}")
    code = reply_code(words) or reply_code(near) or _code_of(status)
    best = best_status(words, near, status)
    return name_cause(code, _flat(words) or _flat(near), stage=stage, enhanced=best or None)


def cause_in_words(text: str) -> Cause | None:
    """The cause that the words alone tell, codes left aside."""
    words = _CODES.sub(" ", _flat(text))
    if not words.strip():
        return None
    for cause, pattern in _COMPILED:
        if pattern.search(words):
            return cause
    # Code 0 and no enhanced code: only signs made of words fit.
    told = name_cause(0, words, stage=stage_of_report(text))
    if told is not None and told is not Cause.POLICY:
        return told
    if _TROUBLE.search(words):
        return Cause.SERVER_TROUBLE
    return Cause.UNREACHABLE if told is None and "giving up on" in words else told


def class_of_failure(cause: Cause | None, status: str, words: str) -> BounceClass:
    """Hard or soft, for a delivery that was given up."""
    if cause is not None:
        return "hard" if cause in _HARD else "soft"
    text = plain_words(words)
    if _REFUSED.search(text):
        return "soft"
    if status:
        return "hard" if status[0] == "5" else "soft"
    code = reply_code(words)
    if code:
        return "hard" if code >= 500 else "soft"
    return "hard" if _FOR_EVER.search(text) else "soft"


def best_status(words: str, near: str, status: str) -> str:
    """The most telling RFC 3463 code: the server's own when the report's is a catch-all such as 5.0.0."""
    if status and not status.endswith(".0"):
        return status
    digit = int(status[0]) * 100 if status else 500
    found = enhanced_code(digit, words) or enhanced_code(digit, near) or status
    return found if found[:1] in ("4", "5") else status


def reply_code(text: str) -> int:
    """The first SMTP reply code in the text; 0 when there is none."""
    found = _REPLY_CODE.search(text[:_LONGEST])
    return int(found[1]) if found else 0


def stage_of_report(text: str) -> Stage:
    """The step of the dialogue at which the server refused, `rcpt` unless the words say otherwise."""
    if _AFTER_CONTENT.search(text):
        return "content"
    if _AFTER_MAIL.search(text):
        return "mail"
    return "rcpt"


def _code_of(status: str) -> int:
    return int(status[0]) * 100 if status else 0


def _flat(text: str) -> str:
    return " ".join(plain_words(text[:_LONGEST]).split())
