"""Delivery reports in the layouts of many servers, with invented addresses and words of our own."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent

OURS = "anna@fluenzr.example"
MESSAGE_ID = "<20260301.1@fluenzr.example>"

RETURNED = f"""\
Received: from mail.fluenzr.example ([192.0.2.7]) by mx.relay.example; Mon, 2 Mar 2026 09:00:01 +0100
Message-ID: {MESSAGE_ID}
Date: Mon, 2 Mar 2026 09:00:00 +0100
From: Anna <{OURS}>
To: {{to}}
Subject: A question about your catalogue
MIME-Version: 1.0

Hello, would you write to help@fluenzr.example or bob@other.example?
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """A mail with what it means: `expected` pairs of address and class, none for what is no bounce."""

    name: str
    family: str
    raw: bytes
    expected: tuple[tuple[str, str], ...]


def plain(
    body: str,
    *,
    sender: str = "Mail Delivery System <MAILER-DAEMON@mx.relay.example>",
    subject: str = "Undelivered Mail Returned to Sender",
    headers: str = "",
    returned_to: str = "",
    charset: str = "utf-8",
) -> bytes:
    """A report of one text part, the returned mail below its words when `returned_to` is given."""
    text = dedent(body).strip("\n") + "\n"
    if returned_to:
        text += "\n" + RETURNED.format(to=returned_to)
    head = (
        f"From: {sender}\nTo: {OURS}\nSubject: {subject}\n{headers}"
        f"Message-ID: <report.1@mx.relay.example>\nMIME-Version: 1.0\n"
        f"Content-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: 8bit\n\n"
    )
    return (head + text).encode(charset)


def report(
    fields: str,
    *,
    notice: str = "Your mail could not be delivered.",
    returned_to: str = "",
    subject: str = "Delivery Status Notification",
    sender: str = "postmaster@mx.relay.example",
    mta: str = "Reporting-MTA: dns; mx.relay.example\n\n",
    status_type: str = "message/delivery-status",
    report_type: str = "delivery-status",
) -> bytes:
    """A report in three parts (RFC 3462)."""
    returned = ""
    if returned_to:
        returned = f"--b1\nContent-Type: message/rfc822\n\n{RETURNED.format(to=returned_to)}\n"
    return (
        f"From: {sender}\nTo: {OURS}\nSubject: {subject}\nMessage-ID: <report.2@mx.relay.example>\n"
        f"MIME-Version: 1.0\nAuto-Submitted: auto-replied\n"
        f'Content-Type: multipart/report; report-type={report_type}; boundary="b1"\n\n'
        f"--b1\nContent-Type: text/plain; charset=utf-8\n\n{dedent(notice).strip()}\n\n"
        f"--b1\nContent-Type: {status_type}\n\n{mta}{dedent(fields).strip()}\n\n{returned}--b1--\n"
    ).encode()


def _failed(address: str, status: str, diagnostic: str, action: str = "failed") -> str:
    return (
        f"Final-Recipient: rfc822; {address}\nAction: {action}\nStatus: {status}\nDiagnostic-Code: smtp; {diagnostic}"
    )


JOE, EVE = "joe@client.example", "eve@client.example"

# status, diagnostic → class: what a server may say of a recipient, whatever code it carries.
DIAGNOSTICS: tuple[tuple[str, str, str], ...] = (
    ("5.1.1", "550 5.1.1 <joe@client.example>: Recipient address rejected: User unknown in local recipient table", "hard"),
    ("5.0.0", "550 No Such User Here", "hard"),
    ("5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient joe@client.example not found by SMTP address lookup", "hard"),
    ("5.4.1", "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)", "hard"),
    ("5.0.0", "550 #5.1.0 Address rejected.", "hard"),
    ("5.2.1", "550 5.2.1 The email account that you tried to reach is inactive", "hard"),
    ("5.0.0", "554 30 Sorry, your message to joe@client.example cannot be delivered. This mailbox is disabled (554.30).", "hard"),
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
    ("5.4.4", "Host or domain name not found. Name service error for name=clinet.example type=A: Host not found", "hard"),
    ("4.4.3", "Host or domain name not found. Name service error for name=client.example type=MX: Host not found, try again", "soft"),
    ("4.4.1", "connect to mx.client.example[192.0.2.9]:25: Connection refused", "soft"),
    ("4.4.1", "connect to mx.client.example[192.0.2.9]:25: No route to host", "soft"),
    ("5.0.0", "550 5.0.0 something nobody has ever said", "hard"),
    ("4.7.1", "450 4.7.1 Greylisted, please try again later", "soft"),
    ("5.7.133", "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required", "soft"),
    ("5.1.2", "550 5.1.2 Host unknown (Name server: clinet.example: host not found)", "hard"),
    ("5.0.0", "550 5.1.1 unknown or illegal alias: joe@client.example", "hard"),
)  # fmt: skip


def _diagnosed() -> list[Sample]:
    return [
        Sample(f"words {number}: {words[:40]}", "rfc3464", report(_failed(JOE, status, words)), ((JOE, kind),))
        for number, (status, words, kind) in enumerate(DIAGNOSTICS)
    ]


def _of_fields() -> list[Sample]:
    gone = "550 5.1.1 User unknown"
    return [
        Sample("two groups", "rfc3464", report(f"{_failed(JOE, '5.1.1', gone)}\n\n{_failed(EVE, '5.2.2', '552 mailbox full')}"),
               ((JOE, "hard"), (EVE, "soft"))),
        Sample("two groups without a blank line", "rfc3464",
               report(f"{_failed(JOE, '5.1.1', gone)}\n{_failed(EVE, '5.2.2', '552 mailbox full')}"),
               ((JOE, "hard"), (EVE, "soft"))),
        Sample("no blank line after the first fields", "rfc3464",
               report(_failed(JOE, "5.1.1", gone), mta="Reporting-MTA: dns; mx.relay.example\n"), ((JOE, "hard"),)),
        Sample("blank lines inside a group", "rfc3464",
               report(f"Final-Recipient: rfc822; {JOE}\n\nAction: failed\n\nStatus: 5.1.1"), ((JOE, "hard"),)),
        Sample("one delivered, one failed", "rfc3464",
               report(f"{_failed(EVE, '2.0.0', '250 ok', 'delivered')}\n\n{_failed(JOE, '5.1.1', gone)}"), ((JOE, "hard"),)),
        Sample("all relayed", "no bounce", report(_failed(JOE, "2.1.5", "250 ok", "relayed")), ()),
        Sample("delivered", "no bounce", report(_failed(JOE, "2.0.0", "250 ok", "delivered")), ()),
        Sample("expanded", "no bounce", report(_failed(JOE, "2.0.0", "250 ok", "expanded")), ()),
        Sample("delayed", "rfc3464", report(_failed(JOE, "4.4.1", "connection timed out", "delayed")), ((JOE, "delayed"),)),
        Sample("action missing, a warning", "rfc3464",
               report(f"Final-Recipient: rfc822; {JOE}\nStatus: 4.4.1", subject="Delivery delayed",
                      notice="We will keep trying for two days."), ((JOE, "delayed"),)),
        Sample("action missing, a failure", "rfc3464",
               report(f"Final-Recipient: rfc822; {JOE}\nStatus: 5.1.1"), ((JOE, "hard"),)),
        Sample("forwarded", "rfc3464",
               report(f"Original-Recipient: rfc822; {JOE}\n{_failed('joe@elsewhere.example', '5.1.1', gone)}"),
               ((JOE, "hard"),)),
        Sample("typed address in brackets", "rfc3464",
               report(f"Final-Recipient: RFC822; <{JOE}>\nAction: failed\nStatus: 5.1.1"), ((JOE, "hard"),)),
        Sample("no address type", "rfc3464",
               report(f"Final-Recipient: {JOE}\nAction: failed\nStatus: 5.1.1"), ((JOE, "hard"),)),
        Sample("RFC 6533", "rfc3464",
               report(r"Final-Recipient: utf-8; \x{E9}ric@client.example" + "\nAction: failed\nStatus: 5.1.1",
                      status_type="message/global-delivery-status"), (("éric@client.example", "hard"),)),
        Sample("X.400 with the address as written", "rfc3464",
               report(f"Original-Recipient: rfc822; {JOE}\nFinal-Recipient: x400; /G=Joe/O=Client/\n"
                      "Action: failed\nStatus: 5.1.1"), ((JOE, "hard"),)),
        Sample("X.400 alone", "rfc3464",
               report("Final-Recipient: x400; /G=Joe/O=Client/\nAction: failed\nStatus: 5.1.1", returned_to=JOE),
               ((JOE, "hard"),)),
        Sample("fields in a text part", "rfc3464",
               report(_failed(JOE, "5.1.1", gone), status_type="text/plain"), ((JOE, "hard"),)),
        Sample("status with a comment", "rfc3464",
               report(f"Final-Recipient: rfc822; {JOE}\nAction: failed\nStatus: 5.0.0 (recipient reached disk quota)"),
               ((JOE, "soft"),)),
        Sample("fields quoted in a plain mail", "rfc3464", plain(f"""
            Sorry, no luck.

            Final-Recipient: rfc822; {JOE}
            Action: failed
            Status: 5.1.1
            """), ((JOE, "hard"),)),
        Sample("a report inside another mail", "rfc3464",
               b"From: postmaster@gateway.example\nTo: anna@fluenzr.example\nSubject: Fwd: failure notice\n"
               b"Content-Type: message/rfc822\n\n" + report(_failed(JOE, "5.1.1", gone)), ((JOE, "hard"),)),
    ]  # fmt: skip


def _free_text() -> list[Sample]:
    return [
        Sample("postfix, text alone", "postfix", plain(f"""
            This is the mail system at host mx.relay.example.

            I'm sorry to have to inform you that your message could not be delivered to one or more recipients.
            For further assistance, please send mail to postmaster@relay.example.

            <{JOE}>: host mx.client.example[192.0.2.9] said: 550 5.1.1 <{JOE}>: Recipient address
                rejected: User unknown in virtual mailbox table (in reply to RCPT TO command)
            """, returned_to=JOE), ((JOE, "hard"),)),
        Sample("exim", "exim", plain(f"""
            This message was created automatically by mail delivery software.

            A message that you sent could not be delivered to one or more of its recipients.
            This is a permanent error. The following address(es) failed:

              {JOE}
                host mx.client.example [192.0.2.9]
                SMTP error from remote mail server after RCPT TO:<{JOE}>:
                550 Unrouteable address

            ------ This is a copy of the message, including all the headers. ------
            """, headers=f"X-Failed-Recipients: {JOE}\n", returned_to=JOE), ((JOE, "hard"),)),
        Sample("exim, no reason but time", "exim", plain(f"""
            A message that you sent could not be delivered to one or more of its recipients.
            This is a permanent error. The following address(es) failed:

              {JOE}
                retry timeout exceeded
            """, subject="Mail delivery failed: returning message to sender"), ((JOE, "soft"),)),
        Sample("exim, warning", "exim", plain(f"""
            This message was created automatically by mail delivery software.
            A message that you sent has not yet been delivered to one or more of its recipients after more than 24 hours
            on the queue on mx.relay.example.

            The address to which the message has not yet been delivered is:

              {JOE}
                Delay reason: Connection refused

            No action is required on your part. Delivery attempts will continue for some time.
            """, subject="Warning: message 1abc delayed 24 hours"), ((JOE, "delayed"),)),
        Sample("qmail", "qmail", plain(f"""
            Hi. This is the qmail-send program at mx.relay.example.
            I'm afraid I wasn't able to deliver your message to the following addresses.
            This is a permanent error; I've given up. Sorry it didn't work out.

            <{JOE}>:
            192.0.2.9 does not like recipient.
            Remote host said: 550 5.1.1 User unknown
            Giving up on 192.0.2.9.

            <{EVE}>:
            Sorry, I wasn't able to establish an SMTP connection. (#4.4.1)
            I'm not going to try again; this message has been in the queue too long.

            --- Below this line is a copy of the message.
            """, subject="failure notice", returned_to=f"{JOE}, {EVE}"), ((JOE, "hard"), (EVE, "soft"))),
        Sample("sendmail", "sendmail", plain(f"""
            The original message was received at Mon, 2 Mar 2026 09:00:00 +0100
            from mail.fluenzr.example [192.0.2.7]

               ----- The following addresses had permanent fatal errors -----
            <{JOE}>
                (reason: 550 5.7.1 Message content rejected, UBE)

               ----- Transcript of session follows -----
            ... while talking to mx.client.example.:
            >>> DATA
            <<< 550 5.7.1 Message content rejected, UBE
            554 5.0.0 Service unavailable
            """, subject="Returned mail: see transcript for details"), ((JOE, "soft"),)),
        Sample("exchange 5.5", "exchange", plain(f"""
            Your message

              To:      Joe Client; Eve Client
              Subject: A question about your catalogue
              Sent:    Mon, 2 Mar 2026 09:00:00 +0100

            did not reach the following recipient(s):

            {JOE} on Mon, 2 Mar 2026 09:00:05 +0100
                The recipient name is not recognized
                The MTS-ID of the original message is: c=us;a= ;p=client;l=MAIL0101
                MSEXCH:IMS:Client:SITE:MAIL 0 (000C05A6) Unknown Recipient
            """, sender="System Administrator <postmaster@client.example>",
            subject="Undeliverable: A question about your catalogue"), ((JOE, "hard"),)),
        Sample("office 365, text alone", "office365", plain(f"""
            Delivery has failed to these recipients or groups:

            {JOE} (mailto:{JOE})
            The email address you entered couldn't be found. Please check the recipient's email address and try to resend
            the message. If the problem continues, please contact your email admin at helpdesk@client.example.

            Diagnostic information for administrators:
            Generating server: AM0PR01.prod.example
            {JOE}
            Remote Server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup'
            """, sender="postmaster@client.example", subject="Undeliverable: A question"), ((JOE, "hard"),)),
        Sample("office 365, mailbox full", "office365", plain(f"""
            Delivery has failed to these recipients or groups:

            Joe Client ({JOE})
            The recipient's mailbox is full and can't accept messages now. Please try resending your message later.
            """, sender="Microsoft Outlook <postmaster@client.example>", subject="Undeliverable: A question"),
            ((JOE, "soft"),)),
        Sample("gmail", "gmail", plain(f"""
            ** Address not found **

            Your message wasn't delivered to {JOE} because the address couldn't be found, or is unable to receive mail.

            The response from the remote server was:
            550 5.1.1 The email account that you tried to reach does not exist.
            """, sender="Mail Delivery Subsystem <mailer-daemon@googlemail.example>",
            subject="Delivery Status Notification (Failure)"), ((JOE, "hard"),)),
        Sample("gmail in German", "gmail", plain(f"""
            ** Adresse nicht gefunden **

            Ihre Nachricht wurde nicht an {JOE} zugestellt, weil die Adresse nicht gefunden wurde oder keine E-Mails empfangen kann.
            """, sender="Mail Delivery Subsystem <mailer-daemon@googlemail.example>",
            subject="Delivery Status Notification (Failure)"), ((JOE, "hard"),)),
        Sample("gmail in French", "gmail", plain(f"""
            ** Adresse introuvable **

            Votre message n'est pas parvenu à {JOE}, car l'adresse est introuvable ou ne peut pas recevoir d'e-mails.
            """, sender="Mail Delivery Subsystem <mailer-daemon@googlemail.example>",
            subject="Delivery Status Notification (Failure)"), ((JOE, "hard"),)),
        Sample("gmail, still trying", "gmail", plain(f"""
            This is an automatically generated Delivery Status Notification

            THIS IS A WARNING MESSAGE ONLY. YOU DO NOT NEED TO RESEND YOUR MESSAGE.

            Delivery to the following recipient has been delayed:

                 {JOE}

            Message will be retried for 2 more day(s)
            """, subject="Delivery Status Notification (Delay)"), ((JOE, "delayed"),)),
        Sample("yahoo", "yahoo", plain(f"""
            Sorry, we were unable to deliver your message to the following address.

            <{JOE}>:
            552: 5.2.2 mailbox full

            --- Below this line is a copy of the message.
            """, subject="Failure Notice", sender="MAILER-DAEMON@yahoo.example", returned_to=JOE), ((JOE, "soft"),)),
        Sample("hotmail", "outlook", plain(f"""
            This is an automatically generated Delivery Status Notification.

            Delivery to the following recipients failed.

                   {JOE}
            """, subject="Delivery Status Notification (Failure)", sender="postmaster@mail.hot.example"), ((JOE, "soft"),)),
        Sample("domino", "domino", plain(f"""
            Your message

              Subject: A question about your catalogue

            was not delivered to:

              {JOE}

            because:

              User joe ({JOE}) not listed in Domino Directory
            """, subject="DELIVERY FAILURE: User joe not listed in Domino Directory"), ((JOE, "hard"),)),
        Sample("groupwise", "groupwise", plain(f"""
            The message that you sent was undeliverable to the following:
                joe@client.example (user not found)

            Possibly truncated original message follows:
            """, subject="Message status - undeliverable", sender="Mailer-Daemon@client.example"), ((JOE, "hard"),)),
        Sample("imail", "imail", plain(f"""
            Unknown user: {JOE}

            RCPT TO generated following response:
            550 no such user

            Original message follows.
            """, subject="Undeliverable Mail", sender="Postmaster <postmaster@relay.example>", returned_to=JOE), ((JOE, "hard"),)),
        Sample("mdaemon", "mdaemon", plain(f"""
            The attached message had PERMANENT fatal delivery errors!

            The following addresses did NOT receive a copy of your message:

            > {JOE}

            --- Session Transcript ---
            >>> RCPT To:<{JOE}>
            <<< 550 {JOE}: Recipient unknown
            >>> QUIT
            --- End Transcript ---
            """, subject="Permanent Delivery Failure", sender="MDaemon@relay.example"), ((JOE, "hard"),)),
        Sample("communigate", "communigate", plain(f"""
            Failed to deliver to '{JOE}'
            LOCAL module(account joe) reports:
             account is full (quota exceeded)
            """, subject="Undeliverable mail: A question"), ((JOE, "soft"),)),
        Sample("courier", "courier", plain(f"""
            This is a delivery status notification from mx.relay.example.

            The original message was received on Mon, 2 Mar 2026 09:00:00 +0100
            from mail.fluenzr.example

                                UNDELIVERABLE MAIL

            Your message to the following recipients cannot be delivered:

            <{JOE}>:
                mx.client.example [192.0.2.9]:
            >>> RCPT TO:<{JOE}>
            <<< 550 User <{JOE}> unknown
            """, subject="NOTICE: mail delivery status."), ((JOE, "hard"),)),
        Sample("messagelabs", "symantec", plain(f"""
            The message could not be delivered for the following reason: the remote server said
            <{JOE}>: 550 5.7.1 Message content was rejected as spam

            For help write to support@cloud.example
            """, subject="Mail Delivery Problem"), ((JOE, "soft"),)),
        Sample("mcafee", "mcafee", plain(f"""
            --- The following addresses had delivery problems ---

            <{JOE}>   (User unknown {JOE})
            """, subject="Delivery Status", sender="mailadmin@relay.example"), ((JOE, "hard"),)),
        Sample("gmx", "gmx", plain(f"""
            This message was created automatically by mail delivery software.

            A message that you sent could not be delivered to one or more of its recipients. This is a permanent error.
            The following address failed:

            "{JOE}":
            SMTP error from remote server after RCPT command:
            host: mx.client.example
            5.1.1 <{JOE}>... User is unknown

            --- The header of the original message is following. ---
            """, subject="Mail delivery failed: returning message to sender", returned_to=JOE), ((JOE, "hard"),)),
        Sample("web.de in German", "gmx", plain(f"""
            Diese Nachricht wurde automatisch erzeugt.

            Ihre E-Mail konnte nicht an die folgenden Empfänger zugestellt werden:

            {JOE}: Das Postfach des Empfängers ist voll.
            """, subject="Ihre Nachricht konnte nicht zugestellt werden"), ((JOE, "soft"),)),
        Sample("orange in French", "orange", plain(f"""
            Votre message n'a pas pu être remis à son destinataire :

            {JOE}
            La boîte aux lettres du destinataire est pleine.

            Contact : support@orange.example
            """, subject="Message non remis", sender="postmaster@orange.example"), ((JOE, "soft"),)),
        Sample("laposte in French", "laposte", plain(f"""
            Bonjour,
            Le message que vous avez envoyé n'a pas été délivré au destinataire <{JOE}> : adresse inexistante.
            """, subject="Échec de remise", sender="postmaster@laposte.example"), ((JOE, "hard"),)),
        Sample("yandex in Russian", "yandex", plain(f"""
            Это письмо отправлено почтовым сервером relay.example.

            К сожалению, мы вынуждены сообщить вам о том, что ваше письмо не может быть доставлено получателю:

            {JOE}: пользователь не найден
            """, subject="Недоставленное сообщение", sender="mailer-daemon@yandex.example"), ((JOE, "hard"),)),
        Sample("qq in Chinese", "qq", plain(f"""
            抱歉，您的邮件被退回来了。
            收件人邮件地址：{JOE}
            退信原因：收件人邮箱地址不存在，邮件无法送达。
            """, subject="系统退信", sender="PostMaster <PostMaster@qq.example>"), ((JOE, "hard"),)),
        Sample("163 in Chinese, full", "163", plain(f"""
            以下收件人的邮件未能送达：
            {JOE}
            退信原因：对方邮箱已满。
            """, subject="系统退信/Systems bounce", sender="Postmaster@163.example"), ((JOE, "soft"),)),
        Sample("japanese", "japan", plain(f"""
            メールを配信できませんでした。
            宛先: {JOE}
            理由: ユーザが存在しません。
            """, subject="配信エラー", charset="iso-2022-jp"), ((JOE, "hard"),)),
        Sample("naver in Korean", "naver", plain(f"""
            메일 전송에 실패하였습니다.
            받는사람: {JOE}
            실패 사유: 존재하지 않는 계정입니다. 사용자 없음
            """, subject="[메일 발송 실패 안내]", sender="postmaster@naver.example"), ((JOE, "hard"),)),
        Sample("spanish", "spanish", plain(f"""
            No se pudo entregar su mensaje a los siguientes destinatarios:

            {JOE}
            El usuario no existe en este servidor.
            """, subject="No se puede entregar"), ((JOE, "hard"),)),
        Sample("italian", "italian", plain(f"""
            Il messaggio non è stato consegnato al destinatario {JOE}: la casella è piena.
            """, subject="Mancato recapito"), ((JOE, "soft"),)),
        Sample("dutch", "dutch", plain(f"""
            Uw bericht kon niet worden bezorgd bij {JOE}: gebruiker onbekend.
            """, subject="Onbestelbaar bericht"), ((JOE, "hard"),)),
        Sample("portuguese", "portuguese", plain(f"""
            A sua mensagem não foi entregue ao destinatário {JOE}: usuário desconhecido.
            """, subject="Mensagem devolvida"), ((JOE, "hard"),)),
        Sample("proofpoint", "proofpoint", plain(f"""
            Your message to the following recipient could not be delivered:

            {JOE}
            SMTP: 550 5.7.0 Local Policy Violation
            """, subject="Undeliverable: A question", sender="Proofpoint <postmaster@pps.example>"), ((JOE, "soft"),)),
        Sample("mimecast", "mimecast", plain(f"""
            Delivery of the message you sent was aborted.

            Recipient: {JOE}
            Reason: 550 Invalid Recipient - see the service's pages (in reply to RCPT TO)
            """, subject="[Postmaster] Email Delivery Failure", sender="Postmaster <postmaster@mimecast.example>"), ((JOE, "hard"),)),
        Sample("zoho", "zoho", plain(f"""
            This message was created automatically by mail delivery software.
            A message that you sent could not be delivered to one or more of its recipients.

            {JOE} Invalid Address, ERROR_CODE :550, ERROR_CODE :5.1.1 User unknown
            """, subject="Undelivered Mail Returned to Sender", sender="mailer-daemon@mail.zo.example"), ((JOE, "hard"),)),
        Sample("james", "james", plain(f"""
            Message from mx.relay.example.
            Unable to deliver the message to the following recipients, please verify the address.
            RCPT TO: {JOE}
            Error message below:
            550 - Requested action not taken: no such user here
            """, subject="[BOUNCE]"), ((JOE, "hard"),)),
        Sample("hmailserver", "hosting", plain(f"""
            Your message did not reach some or all of the intended recipients.

               Sent: Mon, 2 Mar 2026 09:00:00 +0100
               Subject: A question

            The following recipient(s) could not be reached:

            {JOE}
               Error Type: SMTP
               Remote server (192.0.2.9) issued an error.
               hMailServer sent: RCPT TO:<{JOE}>
               Remote server replied: 550 No such user here

            hMailServer
            """, subject="Message undeliverable: A question", sender="mailer-daemon@relay.example"), ((JOE, "hard"),)),
        Sample("opensmtpd", "opensmtpd", plain(f"""
                Hi!

                This is the MAILER-DAEMON, please DO NOT REPLY to this e-mail.

                An error has occurred while attempting to deliver a message for
                the following list of recipients:

            {JOE}: 550 5.1.1 Invalid recipient

                Below is a copy of the original message:
            """, subject="Delivery status notification: error", returned_to=JOE), ((JOE, "hard"),)),
        Sample("dovecot by sieve", "dovecot", report(
            f"Final-Recipient: rfc822; {JOE}\nDisposition: automatic-action/MDN-sent-automatically; deleted",
            notice=f"Your message to <{JOE}> was automatically rejected:\nQuota exceeded",
            status_type="message/disposition-notification", report_type="disposition-notification",
            subject="Automatically rejected mail"), ((JOE, "soft"),)),
    ]  # fmt: skip


def _gateways() -> list[Sample]:
    return [
        Sample("mailmarshal, reason above", "mailmarshal", plain(f"""
            Your message:

                From:    {OURS}
                Subject: A question

            Could not be delivered because of

            550 5.1.1 User unknown

            The following recipients were affected:

                {JOE}
            """, subject="Undeliverable message"), ((JOE, "hard"),)),
        Sample("notes, reason above", "domino", plain(f"""
            ------- Failure Reasons  --------

            User not listed in public Name & Address Book
            {JOE}

            ------- Returned Message --------
            """, subject="NON-DELIVERY of: A question", sender="Postmaster@client.example"), ((JOE, "hard"),)),
        Sample("ironport", "ironport", plain(f"""
            The following message to <{JOE}> was undeliverable.
            The reason for the problem:
            5.1.0 - Unknown address error 550-'Mailbox full, try next week'
            """, subject="Delivery Status Notification (Failure)"), ((JOE, "soft"),)),
        Sample("sendgrid, in words", "sendgrid", plain(f"""
            I'm sorry to have to tell you that your message was not able to be delivered to one of its recipients.
            If you require assistance with this, please contact support@relay.example.

            shiro:000000:<{JOE}> : 192.0.2.250 : mx.client.example:[192.0.2.153] : 550 5.1.1 <{JOE}> User Unknown in RCPT TO
            """, subject="Delivery failure"), ((JOE, "hard"),)),
        Sample("old sendmail, transcript alone", "sendmail", plain(f"""
               ----- Transcript of session follows -----
            While talking to mx.client.example:
            >>> RCPT To:<{JOE}>
            <<< 550 <{JOE}>, User Unknown
            550 <{JOE}>... User unknown

               ----- Unsent message follows -----
            """, subject="Returned mail: User unknown", returned_to=JOE), ((JOE, "hard"),)),
        Sample("error in brackets", "gateway", plain(f"""
            The original message was received at Mon, 2 Mar 2026 09:00:00 +0100
            from {OURS}

            ---The following addresses had delivery errors---

            {JOE} [User unknown]
            """, subject="Returned Mail: User unknown"), ((JOE, "hard"),)),
        Sample("bullets and a routing line", "gateway", plain(f"""
            Failed recipients:

               * {JOE}

               SMTP:RCPT host 192.0.2.8: 553 5.3.0 <{JOE}>... No such user here
            """, subject="Message not delivered"), ((JOE, "hard"),)),
        Sample("rejected recipient in a sentence", "gateway", plain(f"""
            We had trouble delivering your message. Full details follow:

            Subject: 'A question'

            1 error(s):

            SMTP Server <mx.client.example> rejected recipient <{JOE}>
              (Error following RCPT command). It responded as follows: [550 5.1.1 User unknown]
            """, subject="There was an error sending your mail", sender="MAILER-DAEMON@relay.example"), ((JOE, "hard"),)),
        Sample("too many messages", "japan", plain(f"""
               ----- The following addresses had delivery problems -----
            {JOE}

               ----- Non-delivered information -----
            The number of messages in recipient's mailbox exceeded the local limit.
            """, subject="Returned mail: (no subject)", sender="postmaster@biglobe.example"), ((JOE, "soft"),)),
        Sample("kddi", "japan", plain(f"""
            Your mail sent on: Thu, 29 Apr 2027 11:04:47 +0900
                Could not be delivered to: <{JOE}>
                As their mailbox is full.
            """, subject="Mail System Error - Returned Mail", sender="no-reply@kddi.example"), ((JOE, "soft"),)),
        Sample("ezweb", "japan", plain(f"""
            Each of the following recipients was rejected by a remote mail server.
            The reasons given by the server are included to help you determine why each recipient was rejected.

                Recipient: <{JOE}>
                >>> RCPT TO:<{JOE}>
                <<< 550 <{JOE}>: User unknown
            """, subject="Mail System Error - Returned Mail", sender="Postmaster@ezweb.example"), ((JOE, "hard"),)),
        Sample("1und1, size", "1und1", plain(f"""
            This message was created automatically by mail delivery software.

            A message that you sent could not be delivered to one or more of its recipients. The following addresses failed:

            {JOE}:

            Reason:
            Mail size limit exceeded. For explanation visit the pages of your provider.

            --- The header of the original message is following. ---
            """, subject="Mail delivery failed: returning message to sender", returned_to=JOE), ((JOE, "soft"),)),
        Sample("google groups", "googlegroups", plain("""
            Hello,

            We're writing to let you know that the group you tried to contact (news) may not exist, or you may not have
            permission to post messages to the group.
            """, headers="X-Failed-Recipients: news@client.example\n", subject="Delivery Status Notification (Failure)"),
            (("news@client.example", "soft"),)),
        Sample("exim, unknown local part", "exim", plain(f"""
            A message that you sent could not be delivered to one or more of its recipients.
            The following address(es) failed:

              {JOE}:
                unknown local-part "joe" in domain "client.example"
            """, headers=f"X-Failed-Recipients: {JOE}\n"), ((JOE, "hard"),)),
        Sample("exim, no mail service", "exim", plain(f"""
            The following address(es) failed:

              {JOE}
                an MX or SRV record indicated no SMTP service
            """, headers=f"X-Failed-Recipients: {JOE}\n"), ((JOE, "hard"),)),
        Sample("exim, forwarded", "exim", plain("""
            A message that you sent could not be delivered to one or more of its recipients. This is a permanent error.
            The following address(es) failed:

              joe@elsewhere.example
                (generated from joe@client.example)
                mailbox is full: retry timeout exceeded
            """, headers="X-Failed-Recipients: joe@elsewhere.example\n"), ((JOE, "soft"),)),
        Sample("exchange 2007 in French", "exchange", plain(f"""
            Échec de la remise aux destinataires ou listes de distribution suivants :

            {JOE}
            L'adresse de messagerie du destinataire n'a pas été trouvée dans le système de messagerie du destinataire.

            Informations de diagnostic pour les administrateurs :
            Serveur de génération : mx.client.example
            {JOE}
            #550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##
            """, subject="Non remis : A question", sender="postmaster@client.example"), ((JOE, "hard"),)),
        Sample("exchange 2007 in German", "exchange", plain(f"""
            Fehler bei der Nachrichtenzustellung an folgende Empfänger oder Verteilerlisten:

            {JOE}
            Das Postfach des Empfängers ist voll und kann zurzeit keine Nachrichten annehmen.
            """, subject="Unzustellbar: A question", sender="postmaster@client.example"), ((JOE, "soft"),)),
        Sample("exchange 2007 in Spanish", "exchange", plain(f"""
            Error de entrega a los siguientes destinatarios o grupos:

            {JOE}
            No se encontró la dirección de correo electrónico que escribió.
            """, subject="No se puede entregar: A question", sender="postmaster@client.example"), ((JOE, "hard"),)),
        Sample("exchange in Swedish", "exchange", plain(f"""
            Det gick inte att leverera meddelandet till följande mottagare:

            {JOE}
            #550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##
            """, subject="Det går inte att leverera: A question", sender="postmaster@client.example"), ((JOE, "hard"),)),
        Sample("messaging server", "sun", report(
            "Original-recipient: rfc822;joe@client.example\nFinal-recipient: rfc822;joe@ims-ms-daemon\n"
            "Action: failed\nStatus: 5.1.1 (Remote SMTP server has rejected address)\n"
            "Diagnostic-code: smtp;550 5.1.1 User Unknown"), ((JOE, "hard"),)),
        Sample("local user name alone", "rfc3464", report(
            "Final-Recipient: LOCAL;<joe>\nAction: failed\nStatus: 5.1.1", returned_to=JOE), ((JOE, "hard"),)),
        Sample("powermta, by its category", "powermta", report(
            f"Final-Recipient: rfc822;{JOE}\nAction: failed\nStatus: 5.0.0 (undefined status)\n"
            "X-PowerMTA-BounceCategory: quota-issues"), ((JOE, "soft"),)),
        Sample("facebook", "facebook", report(_failed(
            JOE, "5.1.1", "550 5.1.1 RCP-P2 Refused due to recipient preferences")), ((JOE, "soft"),)),
        Sample("webmail in Polish", "polish", plain(f"""
            Nie udało się dostarczyć Twojej wiadomości do następującego odbiorcy:
            {JOE}: użytkownik nie istnieje
            """, subject="Niedostarczona wiadomość"), ((JOE, "hard"),)),
        Sample("without accents", "french", plain(f"""
            Votre message n'a pas pu etre remis au destinataire {JOE} : boite aux lettres pleine.
            """, subject="Message non remis"), ((JOE, "soft"),)),
        Sample("html alone", "html", plain(f"""
            <html><body><p>Your message wasn&#39;t delivered to <b>{JOE}</b> because the address couldn&#39;t be found.</p>
            </body></html>
            """, subject="Delivery Status Notification (Failure)").replace(b"text/plain", b"text/html"), ((JOE, "hard"),)),
        Sample("ses, in words", "ses", plain(f"""
            An error occurred while trying to deliver the mail to the following recipients:
            {JOE}
            """, subject="Delivery Status Notification (Failure)", sender="MAILER-DAEMON@email-bounces.example"), ((JOE, "soft"),)),
        Sample("frozen", "exim", plain(f"""
            Message 1aBcDe-0001 has been frozen (delivery error message).
            The sender is <{OURS}>.

            The following address(es) have yet to be delivered:

              {JOE}: Connection timed out
            """, subject="Message frozen"), ((JOE, "delayed"),)),
        Sample("postfix, delay", "postfix", plain(f"""
            This is the mail system at host mx.relay.example.

            ####################################################################
            # THIS IS A WARNING ONLY.  YOU DO NOT NEED TO RESEND YOUR MESSAGE. #
            ####################################################################

            Your message could not be delivered for more than 4 hour(s).
            It will be retried until it is 5 day(s) old.

            <{JOE}>: connect to mx.client.example[192.0.2.9]:25: Connection timed out
            """, subject="Delayed Mail (still being retried)"), ((JOE, "delayed"),)),
        Sample("sendmail, warning", "sendmail", plain(f"""
                **********************************************
                **      THIS IS A WARNING MESSAGE ONLY      **
                **  YOU DO NOT NEED TO RESEND YOUR MESSAGE  **
                **********************************************

            The original message was received at Mon, 2 Mar 2026 09:00:00 +0100

               ----- Transcript of session follows -----
            <{JOE}>... Deferred: Connection timed out with mx.client.example.
            Warning: message still undelivered after 4 hours
            Will keep trying until message is 5 days old
            """, subject="Warning: could not send message for past 4 hours"), ((JOE, "delayed"),)),
    ]  # fmt: skip


def _no_bounces() -> list[Sample]:
    return [
        Sample("reply that quotes a bounce", "no bounce", plain(f"""
            Hi Anna, what does this mean?

            > <{JOE}>: 550 5.1.1 User unknown
            """, sender="Bob <bob@client.example>", subject="Re: A question"), ()),
        Sample("vacation", "no bounce", plain("""
            I am out of the office until Monday. In urgent cases write to eve@client.example.
            """, sender="Joe <joe@client.example>", subject="Out of office: A question", headers="Auto-Submitted: auto-replied\n"), ()),
        Sample("vacation from a null sender", "no bounce", plain("""
            Je suis absent jusqu'au 12 mars. Contactez eve@client.example.
            """, sender="Joe <joe@client.example>", subject="Réponse automatique : A question",
            headers="Return-Path: <>\nAuto-Submitted: auto-replied\n"), ()),
        Sample("receipt", "no bounce", report(
            f"Final-Recipient: rfc822; {JOE}\nDisposition: manual-action/MDN-sent-manually; displayed",
            notice="Your message was read.", status_type="message/disposition-notification",
            report_type="disposition-notification", subject="Read: A question"), ()),
        Sample("complaint", "no bounce", report(
            f"Feedback-Type: abuse\nUser-Agent: Loop/1.0\nOriginal-Rcpt-To: <{JOE}>", notice="This is an abuse report.",
            status_type="message/feedback-report", report_type="feedback-report", subject="FW: A question"), ()),
        Sample("challenge", "no bounce", plain("""
            Your message has been held. Please click here to confirm that you are a person, and it will be delivered.
            """, sender="joe@client.example", subject="Please confirm your message"), ()),
        Sample("digest", "no bounce", plain("""
            Today's topics: 1. Delivery failed, user unknown (Bob) <bob@client.example>
            """, sender="list-request@lists.example", subject="News Digest, Vol 3", headers="List-Id: <news.lists.example>\n"), ()),
        Sample("ordinary", "no bounce", plain("Yes, that suits me. Call me.\n", sender="joe@client.example",
                                              subject="Re: A question"), ()),
    ]  # fmt: skip


def own_samples() -> list[Sample]:
    """Every sample of ours."""
    return [*_diagnosed(), *_of_fields(), *_free_text(), *_gateways(), *_no_bounces()]
