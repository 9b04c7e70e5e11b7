"""Incoming mails of every kind, and what must come of each; the people in them are invented."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from tests.mail.incoming_mails import (
    Context,
    both,
    calendar,
    feedback,
    headed,
    html_only,
    multipart,
    part,
    plain,
    report,
    returned,
)

Expected = Literal["unsubscribe", "bounce", "delay", "abuse", "automatic", "reply", "unrelated"]
Effect = Literal["stops", "continues", "suppresses", "asks", "hard_bounce", "soft_bounce", "nothing"]


@dataclass(frozen=True)
class Case:
    """One mail. `new_text`: its own words, None where they do not matter. `effect`: what comes of it.

    `asks`: the sequence stops, and the contact is suppressed once somebody has seen the answer.
    """

    name: str
    raw: Callable[[Context], bytes]
    expected: Expected
    new_text: str | None
    effect: Effect
    returns_on: date | None = None


_AUTO = [("Auto-Submitted", "auto-replied")]


def _reply(name: str, raw: Callable[[Context], bytes], new_text: str | None) -> Case:
    return Case(name, raw, "reply", new_text, "stops")


def _asks(name: str, text: str, new_text: str | None = None) -> Case:
    return Case(name, lambda c: plain(c, f"{text}\n\n{_gmail_fr(c)}"), "reply", new_text or text, "asks")


def _automatic(name: str, raw: Callable[[Context], bytes], returns_on: date | None = None) -> Case:
    return Case(name, raw, "automatic", None, "continues", returns_on)


def _away(name: str, subject: str, text: str, returns_on: date | None = None, **rest: Any) -> Case:
    return _automatic(name, lambda c: plain(c, text, subject=subject, **rest), returns_on)


def _unrelated(name: str, raw: Callable[[Context], bytes]) -> Case:
    return Case(name, raw, "unrelated", None, "nothing")


def _gmail_fr(c: Context) -> str:
    return f"Le mar. 24 nov. 2026 à 09:00, {c.our_name} <{c.our_address}> a\nécrit :\n\n{c.quoted}\n"


def _outlook(c: Context, labels: tuple[str, str, str, str], when: str) -> str:
    sender, sent, to, subject = labels
    return (
        f"{sender} {c.our_name} <{c.our_address}>\n{sent} {when}\n{to} {c.contact_name} <{c.contact_address}>\n"
        f"{subject} {c.subject}\n\n{c.text}\n"
    )


def _outlook_page(c: Context, words: str, labels: tuple[str, str, str, str]) -> str:
    head = "<br>".join(f"<b>{label}</b> {value}" for label, value in zip(
        labels, (f"{c.our_name} &lt;{c.our_address}&gt;", "24.11.2026 09:00", c.contact_address, c.subject), strict=True
    ))  # fmt: skip
    return (
        f'<html><head><style>p.MsoNormal{{margin:0}}</style></head><body><div class="WordSection1">'
        f'<p class="MsoNormal">{words}<o:p></o:p></p><div style="border-top:solid #E1E1E1 1.0pt">'
        f'<p class="MsoNormal">{head}<o:p></o:p></p></div>{c.html}</div></body></html>'
    )


_FR = ("De :", "Envoyé :", "À :", "Objet :")
_EN = ("From:", "Sent:", "To:", "Subject:")
_DE = ("Von:", "Gesendet:", "An:", "Betreff:")
_NL = ("Van:", "Verzonden:", "Aan:", "Onderwerp:")
_ES = ("De:", "Enviado:", "Para:", "Asunto:")
_IT = ("Da:", "Inviato:", "A:", "Oggetto:")

REPLIES = (
    _reply("Gmail in French, above", lambda c: plain(c, f"Oui, c’est moi.\n\n{_gmail_fr(c)}"), "Oui, c’est moi."),
    _reply("Gmail as HTML", lambda c: html_only(
        c, f'<div dir="ltr">Oui, <b>appelez-moi</b>.</div><br><div class="gmail_quote"><div dir="ltr" '
        f'class="gmail_attr">Le mar. 24 nov. 2026, {c.our_name} a écrit&nbsp;:<br></div><blockquote '
        f'class="gmail_quote" style="margin:0">{c.html}</blockquote></div>'), "Oui, appelez-moi."),
    _reply("Gmail, both forms", lambda c: both(
        c, f"Yes please.\n\nOn Tue, Nov 24, 2026 at 9:00 AM {c.our_name} <{c.our_address}>\nwrote:\n\n{c.quoted}\n",
        f'<div>Yes please.</div><div class="gmail_quote">{c.html}</div>'), "Yes please."),
    _reply("Outlook desktop in French", lambda c: html_only(c, _outlook_page(c, "Avec plaisir.", _FR)),
        "Avec plaisir."),
    _reply("Outlook desktop in German", lambda c: plain(
        c, "Gerne, rufen Sie an.\n\n" + _outlook(c, _DE, "Dienstag, 24. November 2026 09:00")), "Gerne, rufen Sie an."),
    _reply("Outlook desktop in English as HTML", lambda c: html_only(c, _outlook_page(c, "Call me.", _EN)), "Call me."),
    _reply("Outlook on the web in Dutch", lambda c: html_only(
        c, f'<div class="elementToProof">Graag, bel mij.</div><div id="appendonsend"></div><hr><div '
        f'id="divRplyFwdMsg" dir="ltr"><font face="Calibri"><b>Van:</b> {c.our_name}<br><b>Verzonden:</b> dinsdag<br>'
        f'<b>Aan:</b> {c.contact_address}<br><b>Onderwerp:</b> {c.subject}</font></div>{c.html}'), "Graag, bel mij."),
    _reply("Outlook 365 in Spanish", lambda c: plain(
        c, "Sí, hablamos.\n\n________________________________\n" + _outlook(c, _ES, "martes, 24 de noviembre de 2026")),
        "Sí, hablamos."),
    _reply("Outlook in Italian", lambda c: plain(
        c, "Volentieri.\n\n" + _outlook(c, _IT, "martedì 24 novembre 2026 09:00")), "Volentieri."),
    _reply("Outlook in Dutch", lambda c: plain(
        c, "Prima.\n\n" + _outlook(c, _NL, "dinsdag 24 november 2026 09:00")), "Prima."),
    _reply("an older Outlook", lambda c: plain(
        c, "Fine with me.\n\n-----Original Message-----\n" + _outlook(c, _EN, "Tuesday 9:00")), "Fine with me."),
    _reply("Outlook on a telephone", lambda c: plain(
        c, "Call me tomorrow\n\nGet Outlook for iOS<https://aka.ms/o0ukef>\n________________________________\n"
        + _outlook(c, _EN, "Tuesday, November 24, 2026 9:00:00 AM")), "Call me tomorrow"),
    _reply("Apple Mail in German", lambda c: plain(
        c, f"Ja, gern.\n\n> Am 24.11.2026 um 09:00 schrieb {c.our_name} <{c.our_address}>:\n> \n{c.quoted}\n"),
        "Ja, gern."),
    _reply("Apple Mail as HTML", lambda c: html_only(
        c, f'<html><head></head><body>Sounds good.<br><div><br><blockquote type="cite"><div>On 24 Nov 2026, at 09:00, '
        f'{c.our_name} wrote:</div><br><div>{c.html}</div></blockquote></div></body></html>'), "Sounds good."),
    _reply("an iPhone in French", lambda c: plain(
        c, f"Ok pour jeudi\n\nEnvoyé de mon iPhone\n\n> Le 24 nov. 2026 à 09:00, {c.our_name} <{c.our_address}> a "
        f"écrit :\n> \n{c.quoted}\n"), "Ok pour jeudi"),
    _reply("an iPhone in English as HTML", lambda c: html_only(
        c, f'<html><body dir="auto">Thursday works<br><br><div dir="ltr">Sent from my iPhone</div><div dir="ltr"><br>'
        f'<blockquote type="cite">On 24 Nov 2026, {c.our_name} wrote:<br><br></blockquote></div>'
        f'<blockquote type="cite"><div dir="ltr">{c.html}</div></blockquote></body></html>'), "Thursday works"),
    _reply("an Android telephone in German", lambda c: plain(
        c, f"Passt.\n\nVon meinem Samsung Galaxy Smartphone gesendet.\n\n-------- Ursprüngliche Nachricht --------\n"
        f"Von: {c.our_name}\nDatum: 24.11.26 09:00\nAn: Z\nBetreff: x\n\n{c.text}"), "Passt."),
    _reply("Thunderbird, below", lambda c: plain(
        c, f"Le 24/11/2026 à 09:00, {c.our_name} a écrit :\n{c.quoted}\n\nC’est Paul, je transmets.\n\n"
        "-- \nZoé\nAcme\n",
        encoding="quoted-printable"), "C’est Paul, je transmets."),
    _reply("Thunderbird, between the lines", lambda c: plain(
        c, "Hallo,\n\nAm 24.11.26 um 09:00 schrieb Ada:\n> Wer kauft ein?\n\nIch.\n\n> Wann passt es?\n\nMorgen.\n\n"
        "> Gruß\n> Ada\n"), "Hallo,\n\n> Wer kauft ein?\n\nIch.\n\n> Wann passt es?\n\nMorgen."),
    _reply("Thunderbird as HTML", lambda c: html_only(
        c, f'<p>Bien reçu, merci.</p><div class="moz-cite-prefix">Le 24/11/2026 à 09:00, {c.our_name} a écrit&nbsp;:'
        f'<br></div><blockquote type="cite" cite="mid:x">{c.html}</blockquote>'
        '<div class="moz-signature">-- <br>Zoé</div>'),
        "Bien reçu, merci."),
    _reply("flowed text", lambda c: headed(
        c, f"This is one \r\nsentence.\r\n\r\nOn 24/11/2026 09:00, {c.our_name} wrote:\r\n> a \r\n> b\r\n".encode(),
        content="text/plain; charset=utf-8; format=flowed"), "This is one sentence."),
    _reply("Yahoo as HTML", lambda c: html_only(
        c, f'<div>Sí, adelante.</div><div id="yahoo_quoted_1" class="yahoo_quoted"><div>El martes, 24 de noviembre de '
        f'2026, {c.our_name} escribió:</div><div>{c.html}</div></div>'), "Sí, adelante."),
    _reply("ProtonMail", lambda c: plain(
        c, f"Interested.\n\nSent with Proton Mail secure email.\n\nOn Tuesday, November 24th, 2026 at 09:00, "
        f"{c.our_name} <{c.our_address}> wrote:\n\n{c.quoted}\n"), "Interested."),
    _reply("ProtonMail as HTML", lambda c: html_only(
        c, f'<div>Interested.</div><div class="protonmail_quote">On Tuesday, {c.our_name} wrote:<br><blockquote '
        f'class="protonmail_quote" type="cite">{c.html}</blockquote></div>'), "Interested."),
    _reply("Gmail in Italian", lambda c: plain(
        c, f"Mi chiami.\n\nIl giorno mar 24 nov 2026 alle ore 09:00 {c.our_name} <{c.our_address}> ha\nscritto:\n\n"
        f"{c.quoted}"), "Mi chiami."),
    _reply("Gmail in Spanish", lambda c: plain(
        c, f"Llámeme.\n\nEl mar, 24 nov 2026 a las 9:00, {c.our_name} (<{c.our_address}>) escribió:\n\n{c.quoted}"),
        "Llámeme."),
    _reply("Gmail in Dutch", lambda c: plain(
        c, f"Bel mij.\n\nOp di 24 nov 2026 om 09:00 schreef {c.our_name} <{c.our_address}>:\n\n{c.quoted}"),
        "Bel mij."),
    _reply("Gmail in Japanese, ISO-2022-JP", lambda c: plain(
        c, "はい、お願いします。\n\n2026年11月24日(火) 9:00 Ada <ada@fluenzr.example>:\n\n> 質問\n",
        charset="iso-2022-jp", encoding="7bit"), "はい、お願いします。"),
    _reply("Portuguese", lambda c: plain(
        c, f"Sim.\n\nEm ter., 24 de nov. de 2026 às 09:00, {c.our_name} <{c.our_address}> escreveu:\n\n{c.quoted}"),
        "Sim."),
    _reply("Polish", lambda c: plain(
        c, f"Tak.\n\nwt., 24 lis 2026 o 09:00 {c.our_name} <{c.our_address}> napisał(a):\n\n{c.quoted}"), "Tak."),
    _reply("no quotation at all", lambda c: plain(c, "Je vous rappelle lundi.\n"), "Je vous rappelle lundi."),
    _reply("In-Reply-To lost", lambda c: plain(
        c, f"Oui, volontiers.\n\n{_gmail_fr(c)}", threaded=False), "Oui, volontiers."),
    _reply("only References", lambda c: plain(
        c, "Yes", threaded=False, extra=[("References", f"<other@x.example>\r\n {c.rfc_id}")]), "Yes"),
    _reply("Windows Latin that says it is UTF-8", lambda c: headed(
        c, "Ça m’intéresse.".encode("cp1252")), "Ça m’intéresse."),
    _reply("an unknown charset", lambda c: headed(
        c, "Déjà équipés.".encode(), content="text/plain; charset=x-unknown"), "Déjà équipés."),
    _reply("a base64 body", lambda c: plain(c, "D’accord.", encoding="base64"), "D’accord."),
    _reply("a broken boundary", lambda c: headed(
        c, b"--other\r\nContent-Type: text/plain\r\n\r\nHello\r\n--other--\r\n",
        content='multipart/mixed; boundary="missing"'), None),
    _reply("a part without an end", lambda c: headed(
        c, b"--b\r\nContent-Type: text/plain\r\n\r\nStill here", content='multipart/mixed; boundary="b"'),
        "Still here"),
    _reply("no content type, bare line feeds", lambda c: (
        f"From: {c.contact_address}\nIn-Reply-To: {c.rfc_id}\nSubject: Re: x\n\nOk\n").encode(), "Ok"),
    _reply("20 MB of attachment", lambda c: headed(c, multipart("m", (
        part("text/plain; charset=utf-8", "Voici le dossier."),
        part('application/pdf; name="dossier.pdf"', random.Random(1).randbytes(14_500_000),
             extra=[("Content-Disposition", 'attachment; filename="dossier.pdf"')]),
    )), content='multipart/mixed; boundary="m"'), "Voici le dossier."),
    _reply("an image inside", lambda c: headed(c, multipart("r", (
        part("text/html; charset=utf-8", '<p>Voir ceci <img src="cid:logo@x"></p>'),
        part("image/png", b"\x89PNG\r\n", extra=[("Content-ID", "<logo@x>")]),
    )), content='multipart/related; boundary="r"'), "Voir ceci"),
    _reply("forwarded to a colleague with us in copy", lambda c: plain(
        c, f"Paul, peux-tu voir ?\n\n---------- Forwarded message ---------\nDe : {c.our_name} <{c.our_address}>\n"
        f"Date: mar. 24 nov. 2026\nSubject: {c.subject}\nTo: Z\n\n{c.text}", subject=f"Fwd: {c.subject}"),
        "Paul, peux-tu voir ?"),
    _reply("encrypted with PGP", lambda c: headed(c, multipart("e", (
        part("application/pgp-encrypted", "Version: 1\n"),
        part('application/octet-stream; name="encrypted.asc"', "-----BEGIN PGP MESSAGE-----\n\nabc\n"),
    )), content='multipart/encrypted; protocol="application/pgp-encrypted"; boundary="e"'), ""),
    _reply("encrypted with S/MIME", lambda c: headed(
        c, b"MIAGCSqGSIb3DQEHA6CA\r\n", encoding="base64",
        content='application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"'), ""),
    _reply("a person who is on holiday and answers", lambda c: plain(
        c, "I am on holiday next week, but yes, call me."), "I am on holiday next week, but yes, call me."),
    _reply("a person who answers our automatic answer", lambda c: plain(
        c, "Bon retour, appelez-moi.", subject="Re: Réponse automatique : absence"), "Bon retour, appelez-moi."),
    _reply("stop in a sentence about something else", lambda c: plain(
        c, "Please stop by our office."), "Please stop by our office."),
    _reply("a question about unsubscribing", lambda c: plain(
        c, "Can we unsubscribe from the other service?"), "Can we unsubscribe from the other service?"),
    _reply("don’t stop", lambda c: plain(c, "Don’t stop, I like it."), "Don’t stop, I like it."),
    _reply("accepted with a note of one’s own", lambda c: calendar(
        c, "ACCEPTED", "Re: Rendez-vous", "Parfait, mais plutôt à 15 h."), "Parfait, mais plutôt à 15 h."),
    _reply("Auto-Submitted: no", lambda c: plain(c, "Yes.", extra=[("Auto-Submitted", "no")]), "Yes."),
    _reply("only X-Auto-Response-Suppress", lambda c: plain(
        c, "Yes.", extra=[("X-Auto-Response-Suppress", "All")]), "Yes."),
)  # fmt: skip

STOPS = (
    _asks("stop in English", "Unsubscribe"),
    _asks("stop in capitals", "STOP"),
    _asks("stop in French", "Merci de me retirer de votre liste."),
    _asks("stop in French, one word", "désinscription"),
    _asks("stop in German", "Bitte nehmen Sie mich aus Ihrem Verteiler."),
    _asks("stop in Spanish", "Por favor, denme de baja."),
    _asks("stop in Italian", "Vi prego di cancellarmi dalla vostra lista."),
    _asks("stop in Dutch", "Graag uitschrijven"),
    _asks("stop with greeting and name", "Bonjour,\n\nmerci de me désinscrire.\n\nCordialement,\nZoé Martin\nAcme"),
    _asks("stop from a telephone", "Remove me please\n\nSent from my iPhone", "Remove me please"),
    _asks("not interested, stop", "Not interested, please remove me from your list."),
)

ABSENCES = (
    _away("away in French", "Réponse automatique : Une question", "Absente jusqu’au vendredi 27 novembre inclus.",
          date(2026, 11, 28), extra=_AUTO),
    _away("away in French, back on a day", "Absence du bureau", "Je serai de retour le lundi 30 novembre.",
          date(2026, 11, 30)),
    _away("away in English", "Automatic reply: x", "I am out of the office, back on Nov 30.", date(2026, 11, 30),
          extra=[("X-MS-Exchange-Inbox-Rules-Loop", "zoe@acme.example")]),
    _away("away in English, inclusive", "Out of Office", "I am away until 30/11/2026 inclusive.", date(2026, 12, 1)),
    _away("away in German", "Automatische Antwort: x", "Ich bin ab dem 30.11. wieder im Büro.", date(2026, 11, 30)),
    _away("away in Spanish", "Respuesta automática: x", "Estaré fuera de la oficina y vuelvo el 30 de noviembre.",
          date(2026, 11, 30)),
    _away("away in Italian", "Risposta automatica: x", "Sono in ferie fino al 29 novembre.", date(2026, 11, 30)),
    _away("away in Dutch", "Automatisch antwoord: x", "Ik ben met vakantie tot en met 29 november.",
        date(2026, 11, 30)),
    _away("away until next year", "Out of office", "I will be back on January 5.", date(2027, 1, 5), extra=_AUTO),
    _away("away, the date is over", "Out of office", "I will be back on 20 November.", None, extra=_AUTO),
    _away("away without a date", "Abwesenheitsnotiz", "Ich bin derzeit nicht im Büro.", None),
    _away("a vacation program", "Re: Une question", "I am on leave.", None, extra=[("X-Autoreply", "yes")]),
    _away("an acknowledgement", "Re: Une question", "We have received your message.", None,
          extra=[("Precedence", "auto_reply")]),
    _away("a ticket", "[#48213] Une question", "Votre demande a bien été enregistrée.", None,
          sender="Support <noreply@acme.example>"),
    _away("generated by a program", "Re: Une question", "Done.", None, extra=[("Auto-Submitted", "auto-generated")]),
    _automatic("a calendar accepts", lambda c: calendar(c, "ACCEPTED", "Accepté : Rendez-vous")),
    _automatic("a calendar declines", lambda c: calendar(
        c, "DECLINED", "Declined: Meeting", "Zoé Martin has declined this invitation.")),
    _automatic("a read receipt", lambda c: headed(c, multipart("m", (
        part("text/plain; charset=utf-8", "Your message was displayed.\n"),
        part("message/disposition-notification", f"Final-Recipient: rfc822;{c.contact_address}\n"
             f"Original-Message-ID: {c.rfc_id}\nDisposition: manual-action/MDN-sent-manually; displayed\n"),
    )), subject="Lu : Une question", content='multipart/report; report-type=disposition-notification; boundary="m"')),
)  # fmt: skip

MACHINES = (
    Case("unsubscribe by mail", lambda c: plain(
        c, "", subject=c.unsubscribe_subject, threaded=False),
        "unsubscribe", None, "suppresses"),
    Case("unsubscribe by mail with a body", lambda c: plain(
        c, "This message was sent by your mail program.", subject=c.unsubscribe_subject, threaded=False),
        "unsubscribe", None, "suppresses"),
    Case("the mailbox does not exist", lambda c: report(c, "failed", "5.1.1", "User unknown"),
         "bounce", None, "hard_bounce"),
    Case("the mailbox is full", lambda c: report(c, "failed", "5.2.2", "Mailbox full"), "bounce", None, "soft_bounce"),
    Case("the mail is late", lambda c: report(c, "delayed", "4.4.1", "Connection timed out"), "delay", None, "nothing"),
    Case("a complaint", lambda c: feedback(c, "abuse", f"Original-Rcpt-To: {c.contact_address}\n"),
         "abuse", None, "suppresses"),
    Case("a complaint by Yahoo", lambda c: feedback(
        c, "abuse", f"Original-Mail-From: <{c.our_address}>\nOriginal-Rcpt-To: <{c.contact_address}>\n",
        sender="Yahoo! Mail AntiSpam Feedback <feedback@arf.mail.yahoo.example>"), "abuse", None, "suppresses"),
    Case("a complaint by Hotmail", lambda c: headed(c, multipart("h", (part(
        "message/rfc822", f"X-HmXmrOriginalRecipient: {c.contact_address}\n{returned(c)}Bonjour\n"),)),
        subject="complaint about message from 192.0.2.1", sender="staff@hotmail.example", threaded=False,
        content='multipart/mixed; boundary="h"'), "abuse", None, "suppresses"),
)  # fmt: skip

UNRELATED = (
    _unrelated(
        "a newsletter",
        lambda c: both(
            c,
            "Nouveautés",
            "<p>Nouveautés</p>",
            sender="Lettre <lettre@shop.example>",
            subject="Nos nouveautés",
            threaded=False,
            extra=[("List-Id", "<lettre.shop.example>"), ("Precedence", "bulk")],
        ),
    ),
    _unrelated(
        "a stranger",
        lambda c: plain(c, "Hello, who are you?", sender="Max <max@stranger.example>", subject="Hello", threaded=False),
    ),
    _unrelated("zero bytes", lambda _: b""),
    _unrelated("bytes without a head", lambda _: bytes(range(256)) * 40),
    _unrelated(
        "a report about somebody else’s mail",
        lambda c: plain(c, "Monthly figures", sender="figures@bank.example", subject="Your report", threaded=False),
    ),
)

CASES: tuple[Case, ...] = (*REPLIES, *STOPS, *ABSENCES, *MACHINES, *UNRELATED)
