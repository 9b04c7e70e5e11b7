"""Delivery reports in the layouts of many servers, with invented addresses and words of our own."""

from __future__ import annotations

from base64 import b64encode

from fluenzr_app.bench.bounce_gateways import of_gateways
from fluenzr_app.bench.bounce_layouts import of_large_servers
from fluenzr_app.bench.bounce_mails import EVE, JOE, Sample, failed, plain, report
from fluenzr_app.bench.bounce_providers import of_providers

# status, diagnostic → class: what a server may say of a recipient, whatever code it carries.
DIAGNOSTICS: tuple[tuple[str, str, str], ...] = (
    (
        "5.1.1",
        "550 5.1.1 <joe@client.example>: Recipient address rejected: User unknown in local recipient table",
        "hard",
    ),
    ("5.0.0", "550 No Such User Here", "hard"),
    (
        "5.1.10",
        "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient joe@client.example not found by SMTP address lookup",
        "hard",
    ),
    ("5.4.1", "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)", "hard"),
    ("5.0.0", "550 #5.1.0 Address rejected.", "hard"),
    ("5.2.1", "550 5.2.1 The email account that you tried to reach is inactive", "hard"),
    (
        "5.0.0",
        "554 30 Sorry, your message to joe@client.example cannot be delivered. This mailbox is disabled (554.30).",
        "hard",
    ),
    ("5.0.0", "550 Requested action not taken: mailbox unavailable", "hard"),
    ("5.1.1", "550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. LPN416", "hard"),
    ("5.1.1", "550 5.1.1 <joe@client.example>: Empfänger unbekannt", "hard"),
    ("5.7.1", "550 5.7.1 sorry, no mailbox here by that name", "hard"),
    ("4.4.7", "550 4.4.7 QUEUE.Expired; message expired", "soft"),
    ("5.4.7", "554 5.4.7 Delivery expired (message too old) timeout", "soft"),
    ("5.2.2", "552 5.2.2 The email account that you tried to reach is over quota", "soft"),
    ("5.0.0", "552 Quota exceeded (mailbox for user is full)", "soft"),
    ("5.1.1", "550 5.1.1 Mailbox of joe@client.example is full", "soft"),
    ("5.7.1", "550 5.7.1 Service unavailable; client [192.0.2.7] blocked using Spamhaus", "soft"),
    ("5.7.26", "550-5.7.26 This mail has been blocked because the sender is unauthenticated", "soft"),
    ("5.7.1", "554 5.7.1 <joe@client.example>: Relay access denied", "soft"),
    ("5.3.4", "552 5.3.4 Message size exceeds fixed limit", "soft"),
    ("5.7.0", "554 Message refused by policy", "soft"),
    ("5.0.0", "554 Message rejected because it looks like SPAM", "soft"),
    ("5.4.6", "554 5.4.6 Too many hops", "soft"),
    ("5.1.8", "553 5.1.8 <anna@fluenzr.example>... Domain of sender address does not exist", "soft"),
    (
        "5.4.4",
        "Host or domain name not found. Name service error for name=clinet.example type=A: Host not found",
        "hard",
    ),
    (
        "4.4.3",
        "Host or domain name not found. Name service error for name=client.example type=MX: Host not found, try again",
        "soft",
    ),
    ("4.4.1", "connect to mx.client.example[192.0.2.9]:25: Connection refused", "soft"),
    ("4.4.1", "connect to mx.client.example[192.0.2.9]:25: No route to host", "soft"),
    ("5.0.0", "550 5.0.0 something nobody has ever said", "soft"),
    ("4.7.1", "450 4.7.1 Greylisted, please try again later", "soft"),
    ("5.7.133", "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required", "soft"),
    ("5.1.2", "550 5.1.2 Host unknown (Name server: clinet.example: host not found)", "hard"),
    ("5.0.0", "550 5.1.1 unknown or illegal alias: joe@client.example", "hard"),
)


def _diagnosed() -> list[Sample]:
    return [
        Sample(f"words {number}: {words[:40]}", "rfc3464", report(failed(JOE, status, words)), ((JOE, kind),))
        for number, (status, words, kind) in enumerate(DIAGNOSTICS)
    ]


def _of_fields() -> list[Sample]:
    gone = "550 5.1.1 User unknown"
    return [
        Sample(
            "two groups",
            "rfc3464",
            report(f"{failed(JOE, '5.1.1', gone)}\n\n{failed(EVE, '5.2.2', '552 mailbox full')}"),
            ((JOE, "hard"), (EVE, "soft")),
        ),
        Sample(
            "two groups without a blank line",
            "rfc3464",
            report(f"{failed(JOE, '5.1.1', gone)}\n{failed(EVE, '5.2.2', '552 mailbox full')}"),
            ((JOE, "hard"), (EVE, "soft")),
        ),
        Sample(
            "no blank line after the first fields",
            "rfc3464",
            report(failed(JOE, "5.1.1", gone), mta="Reporting-MTA: dns; mx.relay.example\n"),
            ((JOE, "hard"),),
        ),
        Sample(
            "blank lines inside a group",
            "rfc3464",
            report(f"Final-Recipient: rfc822; {JOE}\n\nAction: failed\n\nStatus: 5.1.1"),
            ((JOE, "hard"),),
        ),
        Sample(
            "one delivered, one failed",
            "rfc3464",
            report(f"{failed(EVE, '2.0.0', '250 ok', 'delivered')}\n\n{failed(JOE, '5.1.1', gone)}"),
            ((JOE, "hard"),),
        ),
        Sample("all relayed", "no bounce", report(failed(JOE, "2.1.5", "250 ok", "relayed")), ()),
        Sample("delivered", "no bounce", report(failed(JOE, "2.0.0", "250 ok", "delivered")), ()),
        Sample("expanded", "no bounce", report(failed(JOE, "2.0.0", "250 ok", "expanded")), ()),
        Sample(
            "delayed", "rfc3464", report(failed(JOE, "4.4.1", "connection timed out", "delayed")), ((JOE, "delayed"),)
        ),
        Sample(
            "action missing, a warning",
            "rfc3464",
            report(
                f"Final-Recipient: rfc822; {JOE}\nStatus: 4.4.1",
                subject="Delivery delayed",
                notice="We will keep trying for two days.",
            ),
            ((JOE, "delayed"),),
        ),
        Sample(
            "action missing, a failure",
            "rfc3464",
            report(f"Final-Recipient: rfc822; {JOE}\nStatus: 5.1.1"),
            ((JOE, "hard"),),
        ),
        Sample(
            "forwarded",
            "rfc3464",
            report(f"Original-Recipient: rfc822; {JOE}\n{failed('joe@elsewhere.example', '5.1.1', gone)}"),
            ((JOE, "hard"),),
        ),
        Sample(
            "typed address in brackets",
            "rfc3464",
            report(f"Final-Recipient: RFC822; <{JOE}>\nAction: failed\nStatus: 5.1.1"),
            ((JOE, "hard"),),
        ),
        Sample(
            "no address type",
            "rfc3464",
            report(f"Final-Recipient: {JOE}\nAction: failed\nStatus: 5.1.1"),
            ((JOE, "hard"),),
        ),
        Sample(
            "RFC 6533",
            "rfc3464",
            report(
                r"Final-Recipient: utf-8; \x{E9}ric@client.example" + "\nAction: failed\nStatus: 5.1.1",
                status_type="message/global-delivery-status",
            ),
            (("éric@client.example", "hard"),),
        ),
        Sample(
            "X.400 with the address as written",
            "rfc3464",
            report(
                f"Original-Recipient: rfc822; {JOE}\nFinal-Recipient: x400; /G=Joe/O=Client/\n"
                "Action: failed\nStatus: 5.1.1"
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "X.400 alone",
            "rfc3464",
            report("Final-Recipient: x400; /G=Joe/O=Client/\nAction: failed\nStatus: 5.1.1", returned_to=JOE),
            ((JOE, "hard"),),
        ),
        Sample(
            "fields in a text part",
            "rfc3464",
            report(failed(JOE, "5.1.1", gone), status_type="text/plain"),
            ((JOE, "hard"),),
        ),
        Sample(
            "status with a comment",
            "rfc3464",
            report(f"Final-Recipient: rfc822; {JOE}\nAction: failed\nStatus: 5.0.0 (recipient reached disk quota)"),
            ((JOE, "soft"),),
        ),
        Sample(
            "fields quoted in a plain mail",
            "rfc3464",
            plain(f"""
            Sorry, no luck.

            Final-Recipient: rfc822; {JOE}
            Action: failed
            Status: 5.1.1
            """),
            ((JOE, "hard"),),
        ),
        Sample(
            "a report inside another mail",
            "rfc3464",
            b"From: postmaster@gateway.example\nTo: anna@fluenzr.example\nSubject: Fwd: failure notice\n"
            b"Content-Type: message/rfc822\n\n" + report(failed(JOE, "5.1.1", gone)),
            ((JOE, "hard"),),
        ),
    ]


def _damaged_mime() -> list[Sample]:
    whole = report(failed(JOE, "5.1.1", "550 5.1.1 User unknown"), returned_to=JOE)
    encoded = b64encode(failed(JOE, "5.1.1", "550 User unknown").encode()).decode()
    return [
        Sample(
            "no blank line below the part's header",
            "broken mime",
            whole.replace(b"delivery-status\n\nRep", b"delivery-status\nRep"),
            ((JOE, "hard"),),
        ),
        Sample("no boundary", "broken mime", whole.replace(b'; boundary="b1"', b""), ((JOE, "hard"),)),
        Sample("another boundary", "broken mime", whole.replace(b'boundary="b1"', b'boundary="b2"'), ((JOE, "hard"),)),
        Sample("CRLF", "broken mime", whole.replace(b"\n", b"\r\n"), ((JOE, "hard"),)),
        Sample("CR alone", "broken mime", whole.replace(b"\n", b"\r"), ((JOE, "hard"),)),
        Sample("byte order mark", "broken mime", b"\xef\xbb\xbf" + whole, ((JOE, "hard"),)),
        Sample(
            "line of a mailbox file",
            "broken mime",
            b"From MAILER-DAEMON Mon Mar  2 09:00:00 2026\n" + whole,
            ((JOE, "hard"),),
        ),
        Sample(
            "cut in the middle",
            "broken mime",
            whole[: whole.index(b"--b1\nContent-Type: message/rfc822") + 60],
            ((JOE, "hard"),),
        ),
        Sample(
            "report type missing", "broken mime", whole.replace(b" report-type=delivery-status;", b""), ((JOE, "hard"),)
        ),
        Sample(
            "multipart/mixed", "broken mime", whole.replace(b"multipart/report", b"multipart/mixed"), ((JOE, "hard"),)
        ),
        Sample(
            "fields in base64",
            "broken mime",
            report(encoded, mta="", status_type="message/delivery-status\nContent-Transfer-Encoding: base64"),
            ((JOE, "hard"),),
        ),
        Sample(
            "status without dots",
            "broken mime",
            report(f"Final-Recipient: rfc822; {JOE}\nAction: failed\nStatus: 511"),
            ((JOE, "hard"),),
        ),
        Sample(
            "fields alone",
            "broken mime",
            b"From: MAILER-DAEMON@x.example\nSubject: failure\nContent-Type: message/delivery-status\n\n"
            + failed(JOE, "5.1.1", "550 User unknown").encode(),
            ((JOE, "hard"),),
        ),
    ]


def _no_bounces() -> list[Sample]:
    inside = report(failed(JOE, "5.1.1", "550 5.1.1 User unknown"))
    return [
        Sample(
            "reply that quotes a bounce",
            "no bounce",
            plain(
                f"""
            Hi Anna, what does this mean?

            > <{JOE}>: 550 5.1.1 User unknown
            """,
                sender="Bob <bob@client.example>",
                subject="Re: A question",
            ),
            (),
        ),
        Sample(
            "reply that quotes the fields of a report",
            "no bounce",
            plain(
                f"""
            Hi Anna, I got this, is my address wrong?

            > Final-Recipient: rfc822; {JOE}
            > Action: failed
            > Status: 5.1.1
            """,
                sender="Bob <bob@client.example>",
                subject="Re: Undelivered Mail",
                headers="In-Reply-To: <a@fluenzr.example>\n",
            ),
            (),
        ),
        Sample(
            "vacation",
            "no bounce",
            plain(
                """
            I am out of the office until Monday. In urgent cases write to eve@client.example.
            """,
                sender="Joe <joe@client.example>",
                subject="Out of office: A question",
                headers="Auto-Submitted: auto-replied\n",
            ),
            (),
        ),
        Sample(
            "vacation from a null sender",
            "no bounce",
            plain(
                """
            Je suis absent jusqu'au 12 mars. Contactez eve@client.example.
            """,
                sender="Joe <joe@client.example>",
                subject="Réponse automatique : A question",
                headers="Return-Path: <>\nAuto-Submitted: auto-replied\n",
            ),
            (),
        ),
        Sample(
            "receipt",
            "no bounce",
            report(
                f"Final-Recipient: rfc822; {JOE}\nDisposition: manual-action/MDN-sent-manually; displayed",
                notice="Your message was read.",
                status_type="message/disposition-notification",
                report_type="disposition-notification",
                subject="Read: A question",
            ),
            (),
        ),
        Sample(
            "complaint",
            "no bounce",
            report(
                f"Feedback-Type: abuse\nUser-Agent: Loop/1.0\nOriginal-Rcpt-To: <{JOE}>",
                notice="This is an abuse report.",
                status_type="message/feedback-report",
                report_type="feedback-report",
                subject="FW: A question",
            ),
            (),
        ),
        Sample(
            "challenge",
            "no bounce",
            plain(
                """
            Your message has been held. Please click here to confirm that you are a person, and it will be delivered.
            """,
                sender="joe@client.example",
                subject="Please confirm your message",
            ),
            (),
        ),
        Sample(
            "digest",
            "no bounce",
            plain(
                """
            Today's topics: 1. Delivery failed, user unknown (Bob) <bob@client.example>
            """,
                sender="list-request@lists.example",
                subject="News Digest, Vol 3",
                headers="List-Id: <news.lists.example>\n",
            ),
            (),
        ),
        Sample(
            "success in words",
            "no bounce",
            plain(
                f"""
            The original message was received at Mon, 2 Mar 2026 09:00:00 +0100

               ----- The following addresses had successful delivery notifications -----
            <{JOE}>  (relayed to non-DSN-aware mailer)
            """,
                subject="Return receipt",
            ),
            (),
        ),
        Sample(
            "digest with a report in it",
            "no bounce",
            b"From: news-request@lists.example\nTo: anna@fluenzr.example\nSubject: News Digest, Vol 3\n"
            b"Content-Type: multipart/digest; boundary=d\n\n--d\n\n" + inside + b"\n--d--\n",
            (),
        ),
        Sample(
            "held for a moderator",
            "no bounce",
            plain(
                """
            Your mail to 'news' is being held until the list moderator can review it for approval.
            """,
                sender="news-bounces@lists.example",
                subject="Your message to news awaits moderator approval",
            ),
            (),
        ),
        Sample(
            "ordinary",
            "no bounce",
            plain("Yes, that suits me. Call me.\n", sender="joe@client.example", subject="Re: A question"),
            (),
        ),
    ]


def own_samples() -> list[Sample]:
    """Every sample of ours."""
    return [
        *_diagnosed(),
        *_of_fields(),
        *_damaged_mime(),
        *of_large_servers(),
        *of_providers(),
        *of_gateways(),
        *_no_bounces(),
    ]
