"""Words by which reports tell a cause, in the languages of the large providers; see `report_causes`.

Written with accents and matched without. `<box>` stands for the many names of a mailbox or its owner.
"""

from __future__ import annotations

import re

from fluenzr_app.mail.causes import Cause
from fluenzr_app.mail.plain_words import words_pattern

_BOX = (
    r"\b(?:e-?mail ?box|mail ?box|mail (?:box|file|directory|folder)|account|inbox|user|recipient|e-?mail|address"
    r"|addressee|customer|subscriber)\b"
)
_NOT_OURS = r"(?<!sender )(?<!sender's )(?<!sender address )(?<!your )"

# The first that fits wins. Within a class order does not matter to the bounce; what is soft and easily mistaken
# for an unknown user comes before it.
_WORDS: tuple[tuple[Cause, tuple[str, ...]], ...] = (
    (
        Cause.SERVER_TROUBLE,
        (r"no such file|bad interpreter|while executing|command not found|temporarily not available|core dumped",),
    ),
    (
        Cause.RELAY_DENIED,
        (
            r"(?:domain|host).{0,30}list of allowed rcpthost|not a (?:registered )?gateway",
            r"(?:don.t|do not|n.t) handle mail for",
            r"relay(?:ing)?.{0,30}(?:denied|not (?:permitted|allowed)|prohibited|refused|reject|disabled)",
            r"(?:unable|not permitted|not allowed|cannot|refus\w+|no) (?:to )?relay",
            r"(?:do not|don.t|not an open) relay|use me .{0,40}as a relay|we do not relay",
            r"not (?:a )?(?:local|permitted|allowed) (?:host|domain|relay)|relais (?:refusé|interdit)",
        ),
    ),
    (
        Cause.SENDER_REFUSED,
        (
            (
                r"(?:domain of )?sender(?:'s)?(?: e?-?mail)?(?: address| domain| verify| verification"
                r"| host)?\b.{0,60}?(?:does not exist|unknown|not found|rejected|refused|denied|fail|invalid"
                r"|not resol|unresolv|not allowed)"
            ),
            r"call(?:back|out) .{0,30}fail|envelope sender|return[- ]path.{0,40}(?:invalid|reject|not|unknown)",
            r"mail from:? ?<?.{0,60}(?:denied|refused|rejected|invalid|unresolv|not resolve|does ?n.t exist)",
            r"sender ?domain|from address.{0,30}(?:blocked|reject|denied)|no accounts? found for sender",
            r"cannot resolve your (?:domain|address)|bogus mail from|(?:é|e)metteur invalide|\bbatv\b|backscatter",
            r"verification failed for",
            r"third-party dsn|unsigned dsn|sender address.{0,40}(?:black|block|list)|from:? domain",
            r"domain of sender",
            r"unrout\w+ sender|address is not verified|fully qualified e?-?mail|unresolvable sender",
            r"do(?:es)? not accept mail from",
        ),
    ),
    (
        Cause.MAILBOX_FULL,
        (
            r"dépass.{0,20}quota|speicherplatz.{0,40}(?:erschöpft|voll|überschritten)|\bje pln[áýé]|plná schránka",
            r"kutusu? dolu|megtelt|(?:är|er) full|er fuld|täynnä|postlåda.{0,20}full|penuh\b|đầy|เต็ม",
            (
                r"<box>.{0,60}?\b(?:is|are|was|has)? ?(?:\bfull\b|over (?:its |the |their |disk )*(?:quota|limit)"
                r"|overquota|out of (?:disk|storage|space)|(?:exceed|reached|above)[a-z]* .{0,30}(?:quota|storage"
                r"|limit|space|size))"
            ),
            r"quota.{0,20}(?:exceed|full|reached|violat|limit)|over ?-?(?:the )?(?:maximum |allowed |disk )*quota",
            r"exceed.{0,40}(?:quota|storage (?:limit|space|allocation)|mailbox size|mailbox limit)",
            r"(?:mailbox|maildir|inbox|box|mail file).{0,20}\bfull\b|full (?:mailbox|inbox)",
            r"not enough (?:free )?(?:disk )?(?:space|storage)",
            (
                r"(?:insufficient|not enough|no more|no) (?:disk |storage |free )*(?:space|storage).{0,40}(?:user"
                r"|mailbox|account|recipient|inbox)"
            ),
            r"user has too many messages|too many messages (?:in|on)|account.{0,30}too many (?:messages|mails)",
            r"zu ?viele mails|mail ?box.{0,30}(?:too large|size limit)",
            r"(?:does not|doesn.t|n.t) have (?:enough|sufficient) (?:disk )?(?:space|storage)|box space not enough",
            r"would exceed .{0,30}(?:quota|mailbox)|maildir.{0,20}over|delivery over quota|disk ?quota",
            r"message store.{0,20}full|boîte.{0,50}(?:pleine|saturée)|destinataire pleine|too much mail data",
            r"space has been used up|quota.{0,30}(?:dépassé|atteint)",
            r"(?:postfach|mailbox|konto).{0,50}(?:voll\b|überfüllt|überschritten)",
            r"(?:buz[oó]n|casilla|cuenta).{0,40}(?:llen[oa]|excedid|sin espacio|superad)",
            r"cuota.{0,30}(?:excedid|superad)|quota.{0,30}excedid",
            r"casella.{0,50}(?:piena|esaurit)|mailbox.{0,20}\bvol\b|(?:caixa|conta).{0,40}(?:cheia|lotada|excede)",
            r"容量.{0,20}(?:超|オーバー|いっぱい)|メールボックス.{0,20}(?:超|いっぱい|満)",
            r"(?:邮箱|信箱|郵箱|空间|空間).{0,12}(?:已?满|已?滿|不足|超)",
            r"(?:ящик|квота).{0,40}(?:переполн|превыш|заполнен)|skrzynk.{0,30}(?:pełn|przepełn)",
            r"przekroczon.{0,20}(?:limit|quot)|편지함.{0,20}(?:초과|가득)|용량.{0,12}(?:초과|부족)",
        ),
    ),
    (
        Cause.RECIPIENT_RESTRICTED,
        (
            r"not (?:currently )?accepting (?:mail|messages|e-?mails?) (?:from|with|of|that)",
            r"only accepts? (?:e-?mail|messages|mail)",
            (
                r"(?:not|n.t) (?:have )?(?:authori[sz]ed|allowed|permitted|permission).{0,30}to send (?:e-?mails? "
                r"|messages? |mail )?to (?:this|the|that)"
            ),
            r"sender .{0,40}(?:not on|is not in) .{0,30}(?:list|allowed)|restricted.{0,30}(?:sender|recipient)",
            r"does not accept (?:mail|messages) from (?:your|this|external)",
        ),
    ),
    (
        Cause.RECIPIENT_RESTRICTED,
        (
            r"members?[- ]only|permission to post|non-?members?|closed (?:mailing )?list",
            r"not (?:a )?(?:subscri\w+|members?)\b|list of senders|from specific|user(?:.s)? rules?",
            r"recipient(?:.s)? (?:preferences|rules?|settings)|protected by|refuses? to receive",
            r"organi[sz]ational settings|rule imposed|user reject|sender ?filter",
            r"rejected by (?:the )?recipients?\b(?! (?:domain|server|mail|host))|does not want|only accept",
        ),
    ),
    (
        Cause.MAILBOX_DISABLED,
        (
            r"compte (?:clos|clôturé)|niet meer in gebruik|adres.{0,20}niet meer|zrušen|kapatıl|pasif",
            (
                r"<not ours><box>(?! is not allowed)[^.;]{0,60}?\b(?:disabled|inactive|de-?activated|suspended"
                r"|discontinued|(?:is|been|was) (?:closed|deleted|removed|cancell?ed|terminated|expired|locked"
                r"|frozen|blocked)|not (?:an )?active|not enabled|inactivity|is unavailable\b.{0,20}permanent"
                r"|dormant|obsolete|has moved|no longer)"
            ),
            (
                r"(?:disabled|inactive|deactivated|suspended|closed|expired|dead|cancell?ed|terminated) (?:user"
                r"|account|mailbox|recipient|address|e?-?mail)"
            ),
            (
                r"no longer (?:here|accept|valid|active|in use|in service|work|employed|available|exist|with|at"
                r"|a customer|on (?:this )?server)"
            ),
            r"(?:user|recipient|person|employee).{0,30}(?:has|have) (?:left|moved|changed)",
            r"has left the (?:company|organi)",
            (
                r"not (?:currently )?(?:accepting|receiving) (?:any )?(?:mail|messages|e-?mails?)(?! (?:from|with"
                r"|of|that|sent))"
            ),
            r"account.{0,20}on hold",
            r"(?:boîte|compte|adresse).{0,60}(?:désactivé|fermé|suspendu|supprimé|résilié|n.est plus)",
            r"(?:konto|postfach|adresse|account).{0,40}(?:deaktiviert|gesperrt|gelöscht|stillgelegt|nicht mehr)",
            (
                r"(?:cuenta|buz[oó]n|casilla).{0,40}(?:desactivad|deshabilitad|inactiv"
                r"|cancelad|suspendid|expirad|vencid|bloquead|de baja)"
            ),
            r"(?:casella|account|utente).{0,40}(?:disattivat|disabilitat|sospes|chius|non (?:è )?più)",
            r"(?:conta|caixa).{0,40}(?:desativad|desabilitad|suspens|cancelad|encerrad|bloquead)",
            r"(?:ящик|аккаунт|пользовател).{0,40}(?:отключ|заблокир|удал|неактив)",
            r"konto.{0,30}(?:zablokowan|nieaktywn|wyłączon)",
            r"(?:账号|帐号|帳號|邮箱|用户).{0,12}(?:停用|禁用|冻结|锁定|注销)|휴면|탈퇴",
        ),
    ),
    (
        Cause.UNREACHABLE,
        (
            r"could(?:n.t| not) find a gateway|malformed (?:or unexpected )?name ?server reply",
            r"name service error.{0,120}(?:try again|temporary)",
            r"host (?:not found|name lookup failure),? (?:try again|temporar)",
            r"temporary.{0,30}(?:name|dns|resolution|lookup|resolver)",
            r"(?:dns|domain|name).{0,30}(?:temporar|time ?d? ?out|servfail|soft)|name server:? timeout",
            r"name server timeout|domain name lookup.{0,20}(?:time|temp)|lookup did not complete",
            r"cname lookup failed temporarily|dns (?:query|lookup|failure)",
            r"dns error(?!.{0,60}(?:not found|nxdomain|no data|exist))",
            r"(?:mx|host|hosts?|name) lookup (?:temporarily|failure)",
        ),
    ),
    (
        Cause.BAD_DOMAIN,
        (
            (
                r"(?:host|domain|system"
                r"|hostname)(?: or domain)?(?: name)?(?! of sender)(?![^.;]{0,80}said)[^.;]{0,60}?(?:not found"
                r"|does(?: not|n.?t) exist|unknown|nxdomain|not resol|is not valid|invalid|non-?exist"
                r"|couldn.t be found|could not be (?:found|resolved)|not listed in dns)"
            ),
            r"no smtp service|answer with no data|find a mail exchanger or ip",
            r"name or service not known|nodename nor servname|no address associated",
            (
                r"(?:unknown|no such|invalid|bad|non-?existent|illegal|unrecogni[sz]ed) (?:host|domain|hostname"
                r"|mail domain|destination|mx)"
            ),
            r"could(?:n't| not) find any host|dns records? .{0,60}(?:not be found|not found|do not exist)",
            r"can ?not find (?:a |the )?(?:mx|mail exchanger|host)|no (?:mx|mail exchanger|a) record",
            r"unable to (?:look ?up|resolve|find)(?: the)? (?:host|domain|mx|address|destination)|null ?mx",
            r"does not (?:accept|receive) (?:any )?(?:e?-?mail|messages)|unrouteable (?:mail )?(?:domain|address)",
            r"no route to domain|all (?:relevant )?mx records.{0,20}(?:do not|localhost|point)",
            r"domain .{0,60}(?:no mail exchangers|has expired|isn.t in my list)|mx list for .{0,80} points back",
            r"domaine.{0,40}(?:inconnu|inexistant|introuvable|n.existe)",
            r"domain.{0,40}(?:unbekannt|nicht gefunden|existiert nicht)",
            r"dominio.{0,40}(?:no existe|inexistente|desconocido|no encontrado|non esiste|sconosciuto)",
            r"domínio.{0,40}(?:não existe|inexistente)|ドメイン.{0,30}(?:存在しな|見つか)",
            r"域名.{0,16}(?:不存在|无法解析|错误|解析失败)|домен.{0,40}(?:не (?:найден|существует))",
        ),
    ),
    (
        Cause.UNKNOWN_USER,
        (
            r"nieznan\w+ (?:użytkownik|adres|odbiorc)|onbekende (?:gebruiker|ontvanger)|존재하지 않",
            r"없는 (?:사용자|계정|주소)",
            r"uživatel.{0,20}(?:neexist|nenalezen|neznám)",
            r"(?:adresa|schránka).{0,20}(?:neexist|nenalezena)|ei löydy|tuntematon",
            r"bulunamad|geçersiz (?:kullanıcı|adres)|nem létezik|ismeretlen|δεν υπάρχει|לא קיים",
            r"غير موجود|không tồn tại",
            r"tidak (?:ada|ditemukan|dikenal)|ไม่พบ|nu există|не існує|не съществува",
            (
                r"(?:unknown|invalid|no such|bad|undeliverable|nonexist(?:ent|ing)?|non-existent|incorrect"
                r"|unrecogni[sz]ed|wrong|illegal|not a valid|unable to find|couldn.t find|could not find"
                r"|can ?not find|no valid|no local) (?:e?-?mail |local |internal |remote |email )?(?:users?"
                r"|recipients?|mailbox|address(?:ee)?|account|person|alias|name|mailbox name|destination address"
                r"|box)\b"
            ),
            (
                r"(?:user|recipient|mailbox|address|account|addressee|name|customer|inbox|alias|box"
                r"|person)\b(?! has)[^;]{0,80}?(?:does(?: not|n.?t) exist|not exist|not (?:be )?found|unknown"
                r"|not known|not recogni[sz]ed|is invalid|isn.t valid|not (?:a )?valid|could not be found"
                r"|couldn.t be found|wasn.t found|not (?:listed|registered|present|defined|configured|local|here)"
                r"|no mailbox|doesn.t have|does not have|not in (?:the |our )?(?:directory|database|list)"
                r"|cannot be found|can.t be found|nonexistent|non-existent|ambiguous|not unique|not in my"
                r"|not a (?:local|known))"
            ),
            r"user ?unknown|unknown[ _-]?user",
            (
                r"no (?:mailbox|account|user|person|recipient|such)\b.{0,40}(?:here|by that name|with that|found"
                r"|exist|named|in|at)"
            ),
            r"not (?:our|a known|an? existing) (?:customer|user|member|address)|this user doesn.t have",
            r"there is no (?:user|account|such|one)|not listed in (?:domino|public|the)|several matches",
            r"no match(?:es)? .{0,20}(?:query|nameserver|directory|found)",
            r"invalid (?:final )?(?:delivery )?user ?id",
            r"(?:address|recipient|rcpt)(?: address)? (?:rejected|refused): ?(?:user|undeliverable|address|no)",
            (
                r"(?:utilisateur|destinataire|adresse|boîte|compte|bal)\b.{0,50}(?:inconnu|inexistant|introuvable"
                r"|invalide|erroné)"
            ),
            r"n.existe pas|pas (?:de boîte|trouvé)",
            (
                r"(?:benutzer|empfänger|adresse|postfach|mailadresse|teilnehmer).{0,50}(?:unbekannt|nicht gefunden"
                r"|existiert nicht|nicht vorhanden|ungültig|gibt es nicht|nicht bekannt)"
            ),
            r"unbekannte[rs]? (?:benutzer|empfänger|adresse)|existiert nicht|kein (?:benutzer|postfach|account)",
            (
                r"(?:usuario|buz[oó]n|casilla|cuenta|direcci[oó]n|destinatario).{0,50}(?:desconocid"
                r"|no existe|inexistente"
                r"|no (?:se )?encontr|inv[aá]lid|no v[aá]lid)"
            ),
            (
                r"(?:utente|casella|indirizzo|destinatario).{0,50}(?:sconosciut|inesistente|non esiste"
                r"|non (?:è )?(?:stato )?trovat|non valid)"
            ),
            (
                r"(?:usuário|usuario|conta|caixa|endereço|destinatário).{0,50}(?:desconhecid|inexistente"
                r"|não (?:existe|encontrad|foi encontrad)|inválid)"
            ),
            (
                r"(?:gebruiker|adres|postbus|ontvanger|mailbox).{0,50}(?:onbekend|bestaat niet|niet gevonden"
                r"|niet bekend)"
            ),
            r"(?:użytkownik|adres|konto|skrzynk|odbiorc).{0,50}(?:nieznan|nie istnieje|nie ma|nieprawidłow)",
            (
                r"(?:пользовател|адрес|ящик|получател|аккаунт).{0,50}(?:не (?:найден|существует|зарегистр)|неизвест"
                r"|нет такого)"
            ),
            r"нет такого",
            (
                r"(?:ユーザ|宛先|アドレス|メールボックス|受信者).{0,40}(?:存在しな|存在しません|見つかり|不明"
                r"|ありません|誤り|無効)"
            ),
            r"存在しません",
            (
                r"(?:用户|用戶|收件人|邮箱|郵箱|地址|帐号|账号|帳號|使用者|信箱).{0,20}(?:不存在|未找到|找不到|无效"
                r"|無效|没有找到|错误)"
            ),
            r"不存在|(?:사용자|수신자|메일 ?주소|계정|받는 ?사람).{0,20}(?:없|존재하지|찾을 수)|存在しない",
            (
                r"(?:användare|mottagare|adress|bruger|modtager|bruker|mottaker).{0,40}(?:okänd|finns inte|ukendt"
                r"|findes ikke|ukjent|finnes ikke)"
            ),
            r"mail address you.{0,40}(?:incorrect|wrong)|resolver\.adr|recipnotfound|bad destination mailbox",
            r"ldap: ?no such|unknown local-?part|mailbox not found|mail ?box (?:is )?(?:unavailable|not available)",
            r"did not exactly match|does not like recipient",
        ),
    ),
    (
        Cause.UNREACHABLE,
        (
            r"connexion (?:refusée|impossible|interrompue|expirée)",
            r"verbindung.{0,30}(?:abgelehnt|fehlgeschlagen|unterbrochen)",
            r"conexi[oó]n.{0,20}(?:rechazad|fallid|agotad)|connessione.{0,20}(?:rifiutat|fallit)",
            (
                r"connection (?:was )?(?:refused|timed? ?out|reset|dropped|closed|died|lost|failed|failure|aborted"
                r"|to .{0,60}failed)"
            ),
            (
                r"(?:no route to|unreachable|unable to (?:connect|contact)|can(?:no|')t connect|could(?: not"
                r"|n.t) connect|couldn't establish|failed to connect|network (?:is )?unreachable"
                r"|host (?:is )?(?:unreachable|down))"
            ),
            (
                r"(?:operation|conversation|connect|connection|delivery|time|retry|message) ?(?:timed out"
                r"|time ?-?out|timeout|time expired|expired)"
            ),
            r"(?:retry|delivery|message|queue|time).{0,20}(?:time|timeout|expir).{0,20}(?:exceed|not reached|expir)",
            r"(?:has been|was|been) (?:in the queue|queued) (?:too long|for)|in (?:the )?queue too long",
            r"too long in (?:the )?queue|long failure period|failing for a long time",
            r"(?:multiple|numerous|several|many) (?:retries|attempts|tries)|not reachable",
            r"did not accept our requests to connect|servfail|queue period",
            r"(?:message|mail|delivery) (?:has )?expired|expired after|max(?:imum)? (?:retry|number of|delivery)",
            r"failed \d+ attempts|\d+ (?:unsuccessful |failed )?attempts|not been collected",
            r"(?:given|giving) up after|not (?:be )?delivered (?:within|after|for)",
            r"(?:could not|unable to|wasn.t able to).{0,30}(?:within|for the last|for the past) ",
            r"retried (?:too many|for)|unavailable for too long|no (?:answer|response|reply) from|not respond",
            r"did not answer|time ?limit|host name lookup|did not respond|wasn.t able to establish an smtp",
            r"délai.{0,40}(?:dépassé|expiré)|zeitüberschreitung|zeit.{0,30}überschritten",
            r"tiempo.{0,30}(?:agotad|excedid)|tempo.{0,30}scadut|连接.{0,12}(?:超时|失败|拒绝)|超时|タイムアウト",
            r"接続.{0,12}(?:失敗|できま)|\b[45]\.4\.7\b|queue\.expired|dhaexpired|loop ?back|deferred",
        ),
    ),
    (
        Cause.UNREACHABLE,
        (r"network error|no valid route|address family mismatch|could not retrieve source|no answer|socket error",),
    ),
    (
        Cause.MAIL_LOOP,
        (
            r"(?:mail|routing|forwarding|message).{0,12}\bloop|too many (?:hops|received)|hop count|\bloops? back",
            r"mail.{0,10}looping|boucle",
        ),
    ),
    (
        Cause.TOO_LARGE,
        (
            r"邮件大小|大小限制|郵件大小|용량 제한",
            (
                r"(?:message|mail|attachment|size|content|file|body|header).{0,60}(?:too (?:big|large|long)"
                r"|exceed.{0,40}(?:size|limit|maximum|length)|larger than)"
            ),
            r"too large|size (?:limit|exceed|restriction)|exceeds? (?:the )?(?:maximum|max|fixed|size|allowed)",
            r"max(?:imum)? (?:message )?size|(?:taille|size).{0,30}(?:maximale|dépass)|trop (?:gros|volumineux)",
            r"zu groß|demasiado grande|troppo grande|muito grande|te groot|サイズ.{0,20}(?:超|大き)",
            r"(?:邮件|附件).{0,10}(?:过大|太大)|\b5\.3\.4\b|\b5\.2\.3\b",
        ),
    ),
    (
        Cause.SPAM,
        (
            r"\bspam|unsolicited|\bjunk|bulk (?:e?-?mail|mail)|\buce\b|\bube\b|virus|malware|phish|infected|worm\b",
            r"trojan|suspicious|blocked content|spoof|fraud|banned (?:content|file|attachment|extension)",
            r"attachment.{0,40}(?:not allowed|prohibited|blocked|banned|removed|type)|\b(?:uribl|surbl|dbl)\b",
            r"pourriel|indésirable|垃圾|病毒|迷惑メール|спам|вирус|스팸",
        ),
    ),
    (
        Cause.CLIENT_BLOCKED,
        (
            r"\b(?:bad|banned|sending|sender|client|source|your|server|unverif\w+)\b.{0,24}\bips?\b",
            r"\bip\b.{0,40}(?:reputation|profile|listed|mismatch|block|abus)|reputation|\bdnsbl|\bx?rbl\b",
            r"block[- ]?list|black[- ]?list|open (?:proxy|relay)|listed (?:as|in|at|on|by)",
            r"your (?:host ?name|mail ?server|server|network|ip)|reverse (?:dns|lookup)|\bptr\b",
            r"not accepting connections|go away|no access from|\bspf\b|\bdkim\b|\bdmarc\b|responsible address",
            r"this mail server|after initial connection|refused to talk to me|white ?list|mismatch\w* client",
            r"valid recipients from|spamhaus|barracuda|spamcop|too many unwanted",
        ),
    ),
    (
        Cause.RATE,
        (
            (
                r"too many (?:invalid |smtp |concurrent |simultaneous )?(?:sessions|connections|messages"
                r"|e-?mails|recipients|errors)"
            ),
            r"connection limit|rate[ -]?limit|throttl|frequency limit",
            r"exceeds? .{0,30}(?:rate|per (?:hour|day|minute))",
        ),
    ),
    (
        Cause.AUTH_REQUIRED,
        (
            r"authenticat|\btls (?:is )?required|authentification|not authori[sz]ed to perform",
            r"not subscribed to ses",
        ),
    ),
    (
        Cause.POLICY,
        (
            r"8-?bit|mime header|base64|improper|malformed|header (?:error|field|syntax)|content[- ](?:error|type)",
            r"invalid (?:header|mime|message)|line (?:limit|length|too long)|bare (?:lf|cr|newline)|no subject",
            r"missing (?:from|date|to|subject)|without (?:to|from|subject)|protocol violation|syntax error",
            r"rfc ?\d+ (?:violation|complian)|not rfc|attachment|low priority|multiple addresses|captcha",
            r"bounced due to|resent-from|signature|encrypt",
        ),
    ),
    (
        # What is said without saying of whom; a report's subject is a recipient.
        Cause.MAILBOX_DISABLED,
        (r"\b(?:suspended|deactivated|disabled|inactive|locked)\b|has been replaced by",),
    ),
    (
        Cause.UNKNOWN_USER,
        (
            r"does(?: not|n.?t) exist|\bnot found\b",
            r"(?<!\()\bunknown\b(?! (?:error|reason|problem|cause|command)| ?\[)|nessun utente",
            r"in name directory",
        ),
    ),
)

SIGNS: tuple[tuple[Cause, re.Pattern[str]], ...] = tuple(
    (cause, words_pattern(*(each.replace("<box>", _BOX).replace("<not ours>", _NOT_OURS) for each in words)))
    for cause, words in _WORDS
)
"""Causes with what tells them in text made by `plain_words`; the first that fits wins."""
