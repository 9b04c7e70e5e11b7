"""Reports in words of further servers and mailbox providers, in many languages; the words are our own."""

from __future__ import annotations

from fluenzr_app.bench.bounce_mails import JOE, Sample, plain, report


def of_providers() -> list[Sample]:
    """Other servers and mailbox providers, and their languages."""
    return [
        Sample(
            "domino",
            "domino",
            plain(
                f"""
            Your message

              Subject: A question about your catalogue

            was not delivered to:

              {JOE}

            because:

              User joe ({JOE}) not listed in Domino Directory
            """,
                subject="DELIVERY FAILURE: User joe not listed in Domino Directory",
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "groupwise",
            "groupwise",
            plain(
                """
            The message that you sent was undeliverable to the following:
                joe@client.example (user not found)

            Possibly truncated original message follows:
            """,
                subject="Message status - undeliverable",
                sender="Mailer-Daemon@client.example",
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "imail",
            "imail",
            plain(
                f"""
            Unknown user: {JOE}

            RCPT TO generated following response:
            550 no such user

            Original message follows.
            """,
                subject="Undeliverable Mail",
                sender="Postmaster <postmaster@relay.example>",
                returned_to=JOE,
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "mdaemon",
            "mdaemon",
            plain(
                f"""
            The attached message had PERMANENT fatal delivery errors!

            The following addresses did NOT receive a copy of your message:

            > {JOE}

            --- Session Transcript ---
            >>> RCPT To:<{JOE}>
            <<< 550 {JOE}: Recipient unknown
            >>> QUIT
            --- End Transcript ---
            """,
                subject="Permanent Delivery Failure",
                sender="MDaemon@relay.example",
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "communigate",
            "communigate",
            plain(
                f"""
            Failed to deliver to '{JOE}'
            LOCAL module(account joe) reports:
             account is full (quota exceeded)
            """,
                subject="Undeliverable mail: A question",
            ),
            ((JOE, "soft"),),
        ),
        Sample(
            "courier",
            "courier",
            plain(
                f"""
            This is a delivery status notification from mx.relay.example.

            The original message was received on Mon, 2 Mar 2026 09:00:00 +0100
            from mail.fluenzr.example

                                UNDELIVERABLE MAIL

            Your message to the following recipients cannot be delivered:

            <{JOE}>:
                mx.client.example [192.0.2.9]:
            >>> RCPT TO:<{JOE}>
            <<< 550 User <{JOE}> unknown
            """,
                subject="NOTICE: mail delivery status.",
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "messagelabs",
            "symantec",
            plain(
                f"""
            The message could not be delivered for the following reason: the remote server said
            <{JOE}>: 550 5.7.1 Message content was rejected as spam

            For help write to support@cloud.example
            """,
                subject="Mail Delivery Problem",
            ),
            ((JOE, "soft"),),
        ),
        Sample(
            "mcafee",
            "mcafee",
            plain(
                f"""
            --- The following addresses had delivery problems ---

            <{JOE}>   (User unknown {JOE})
            """,
                subject="Delivery Status",
                sender="mailadmin@relay.example",
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "gmx",
            "gmx",
            plain(
                f"""
            This message was created automatically by mail delivery software.

            A message that you sent could not be delivered to one or more of its recipients. This is a permanent error.
            The following address failed:

            "{JOE}":
            SMTP error from remote server after RCPT command:
            host: mx.client.example
            5.1.1 <{JOE}>... User is unknown

            --- The header of the original message is following. ---
            """,
                subject="Mail delivery failed: returning message to sender",
                returned_to=JOE,
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "web.de in German",
            "gmx",
            plain(
                f"""
            Diese Nachricht wurde automatisch erzeugt.

            Ihre E-Mail konnte nicht an die folgenden Empfänger zugestellt werden:

            {JOE}: Das Postfach des Empfängers ist voll.
            """,
                subject="Ihre Nachricht konnte nicht zugestellt werden",
            ),
            ((JOE, "soft"),),
        ),
        Sample(
            "orange in French",
            "orange",
            plain(
                f"""
            Votre message n'a pas pu être remis à son destinataire :

            {JOE}
            La boîte aux lettres du destinataire est pleine.

            Contact : support@orange.example
            """,
                subject="Message non remis",
                sender="postmaster@orange.example",
            ),
            ((JOE, "soft"),),
        ),
        Sample(
            "laposte in French",
            "laposte",
            plain(
                f"""
            Bonjour,
            Le message que vous avez envoyé n'a pas été délivré au destinataire <{JOE}> : adresse inexistante.
            """,
                subject="Échec de remise",
                sender="postmaster@laposte.example",
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "yandex in Russian",
            "yandex",
            plain(
                f"""
            Это письмо отправлено почтовым сервером relay.example.

            К сожалению, мы вынуждены сообщить вам о том, что ваше письмо не может быть доставлено получателю:

            {JOE}: пользователь не найден
            """,
                subject="Недоставленное сообщение",
                sender="mailer-daemon@yandex.example",
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "qq in Chinese",
            "qq",
            plain(
                f"""
            抱歉，您的邮件被退回来了。
            收件人邮件地址：{JOE}
            退信原因：收件人邮箱地址不存在，邮件无法送达。
            """,
                subject="系统退信",
                sender="PostMaster <PostMaster@qq.example>",
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "163 in Chinese, full",
            "163",
            plain(
                f"""
            以下收件人的邮件未能送达：
            {JOE}
            退信原因：对方邮箱已满。
            """,
                subject="系统退信/Systems bounce",
                sender="Postmaster@163.example",
            ),
            ((JOE, "soft"),),
        ),
        Sample(
            "japanese",
            "japan",
            plain(
                f"""
            メールを配信できませんでした。
            宛先: {JOE}
            理由: ユーザが存在しません。
            """,
                subject="配信エラー",
                charset="iso-2022-jp",
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "naver in Korean",
            "naver",
            plain(
                f"""
            메일 전송에 실패하였습니다.
            받는사람: {JOE}
            실패 사유: 존재하지 않는 계정입니다. 사용자 없음
            """,
                subject="[메일 발송 실패 안내]",
                sender="postmaster@naver.example",
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "spanish",
            "spanish",
            plain(
                f"""
            No se pudo entregar su mensaje a los siguientes destinatarios:

            {JOE}
            El usuario no existe en este servidor.
            """,
                subject="No se puede entregar",
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "italian",
            "italian",
            plain(
                f"""
            Il messaggio non è stato consegnato al destinatario {JOE}: la casella è piena.
            """,
                subject="Mancato recapito",
            ),
            ((JOE, "soft"),),
        ),
        Sample(
            "dutch",
            "dutch",
            plain(
                f"""
            Uw bericht kon niet worden bezorgd bij {JOE}: gebruiker onbekend.
            """,
                subject="Onbestelbaar bericht",
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "portuguese",
            "portuguese",
            plain(
                f"""
            A sua mensagem não foi entregue ao destinatário {JOE}: usuário desconhecido.
            """,
                subject="Mensagem devolvida",
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "proofpoint",
            "proofpoint",
            plain(
                f"""
            Your message to the following recipient could not be delivered:

            {JOE}
            SMTP: 550 5.7.0 Local Policy Violation
            """,
                subject="Undeliverable: A question",
                sender="Proofpoint <postmaster@pps.example>",
            ),
            ((JOE, "soft"),),
        ),
        Sample(
            "mimecast",
            "mimecast",
            plain(
                f"""
            Delivery of the message you sent was aborted.

            Recipient: {JOE}
            Reason: 550 Invalid Recipient - see the service's pages (in reply to RCPT TO)
            """,
                subject="[Postmaster] Email Delivery Failure",
                sender="Postmaster <postmaster@mimecast.example>",
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "zoho",
            "zoho",
            plain(
                f"""
            This message was created automatically by mail delivery software.
            A message that you sent could not be delivered to one or more of its recipients.

            {JOE} Invalid Address, ERROR_CODE :550, ERROR_CODE :5.1.1 User unknown
            """,
                subject="Undelivered Mail Returned to Sender",
                sender="mailer-daemon@mail.zo.example",
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "james",
            "james",
            plain(
                f"""
            Message from mx.relay.example.
            Unable to deliver the message to the following recipients, please verify the address.
            RCPT TO: {JOE}
            Error message below:
            550 - Requested action not taken: no such user here
            """,
                subject="[BOUNCE]",
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "hmailserver",
            "hosting",
            plain(
                f"""
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
            """,
                subject="Message undeliverable: A question",
                sender="mailer-daemon@relay.example",
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "opensmtpd",
            "opensmtpd",
            plain(
                f"""
                Hi!

                This is the MAILER-DAEMON, please DO NOT REPLY to this e-mail.

                An error has occurred while attempting to deliver a message for
                the following list of recipients:

            {JOE}: 550 5.1.1 Invalid recipient

                Below is a copy of the original message:
            """,
                subject="Delivery status notification: error",
                returned_to=JOE,
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "dovecot by sieve",
            "dovecot",
            report(
                f"Final-Recipient: rfc822; {JOE}\nDisposition: automatic-action/MDN-sent-automatically; deleted",
                notice=f"Your message to <{JOE}> was automatically rejected:\nQuota exceeded",
                status_type="message/disposition-notification",
                report_type="disposition-notification",
                subject="Automatically rejected mail",
            ),
            ((JOE, "soft"),),
        ),
    ]
