"""Reports of gateways and of servers with manners of their own."""

from __future__ import annotations

from fluenzr_app.bench.bounce_mails import EVE, JOE, OURS, Sample, failed, plain, report


def of_gateways() -> list[Sample]:
    """Reasons above the address, sentences around it, codes of their own."""
    return [
        Sample(
            "mailmarshal, reason above",
            "mailmarshal",
            plain(
                f"""
            Your message:

                From:    {OURS}
                Subject: A question

            Could not be delivered because of

            550 5.1.1 User unknown

            The following recipients were affected:

                {JOE}
            """,
                subject="Undeliverable message",
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "notes, reason above",
            "domino",
            plain(
                f"""
            ------- Failure Reasons  --------

            User not listed in public Name & Address Book
            {JOE}

            ------- Returned Message --------
            """,
                subject="NON-DELIVERY of: A question",
                sender="Postmaster@client.example",
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "ironport",
            "ironport",
            plain(
                f"""
            The following message to <{JOE}> was undeliverable.
            The reason for the problem:
            5.1.0 - Unknown address error 550-'Mailbox full, try next week'
            """,
                subject="Delivery Status Notification (Failure)",
            ),
            ((JOE, "soft"),),
        ),
        Sample(
            "sendgrid, in words",
            "sendgrid",
            plain(
                f"""
            I'm sorry to have to tell you that your message was not able to be delivered to one of its recipients.
            If you require assistance with this, please contact support@relay.example.

            shiro:000000:<{JOE}> : 192.0.2.250 : mx.client.example:[192.0.2.153] : 550 User Unknown in RCPT TO
            """,
                subject="Delivery failure",
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "old sendmail, transcript alone",
            "sendmail",
            plain(
                f"""
               ----- Transcript of session follows -----
            While talking to mx.client.example:
            >>> RCPT To:<{JOE}>
            <<< 550 <{JOE}>, User Unknown
            550 <{JOE}>... User unknown

               ----- Unsent message follows -----
            """,
                subject="Returned mail: User unknown",
                returned_to=JOE,
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "error in brackets",
            "gateway",
            plain(
                f"""
            The original message was received at Mon, 2 Mar 2026 09:00:00 +0100
            from {OURS}

            ---The following addresses had delivery errors---

            {JOE} [User unknown]
            """,
                subject="Returned Mail: User unknown",
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "bullets and a routing line",
            "gateway",
            plain(
                f"""
            Failed recipients:

               * {JOE}

               SMTP:RCPT host 192.0.2.8: 553 5.3.0 <{JOE}>... No such user here
            """,
                subject="Message not delivered",
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "rejected recipient in a sentence",
            "gateway",
            plain(
                f"""
            We had trouble delivering your message. Full details follow:

            Subject: 'A question'

            1 error(s):

            SMTP Server <mx.client.example> rejected recipient <{JOE}>
              (Error following RCPT command). It responded as follows: [550 5.1.1 User unknown]
            """,
                subject="There was an error sending your mail",
                sender="MAILER-DAEMON@relay.example",
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "too many messages",
            "japan",
            plain(
                f"""
               ----- The following addresses had delivery problems -----
            {JOE}

               ----- Non-delivered information -----
            The number of messages in recipient's mailbox exceeded the local limit.
            """,
                subject="Returned mail: (no subject)",
                sender="postmaster@biglobe.example",
            ),
            ((JOE, "soft"),),
        ),
        Sample(
            "kddi",
            "japan",
            plain(
                f"""
            Your mail sent on: Thu, 29 Apr 2027 11:04:47 +0900
                Could not be delivered to: <{JOE}>
                As their mailbox is full.
            """,
                subject="Mail System Error - Returned Mail",
                sender="no-reply@kddi.example",
            ),
            ((JOE, "soft"),),
        ),
        Sample(
            "ezweb",
            "japan",
            plain(
                f"""
            Each of the following recipients was rejected by a remote mail server.
            The reasons given by the server are included to help you determine why each recipient was rejected.

                Recipient: <{JOE}>
                >>> RCPT TO:<{JOE}>
                <<< 550 <{JOE}>: User unknown
            """,
                subject="Mail System Error - Returned Mail",
                sender="Postmaster@ezweb.example",
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "1und1, size",
            "1und1",
            plain(
                f"""
            This message was created automatically by mail delivery software.

            A message that you sent could not be delivered to one or more of its recipients.
            The following addresses failed:

            {JOE}:

            Reason:
            Mail size limit exceeded. For explanation visit the pages of your provider.

            --- The header of the original message is following. ---
            """,
                subject="Mail delivery failed: returning message to sender",
                returned_to=JOE,
            ),
            ((JOE, "soft"),),
        ),
        Sample(
            "google groups",
            "googlegroups",
            plain(
                """
            Hello,

            We're writing to let you know that the group you tried to contact (news) may not exist, or you may not have
            permission to post messages to the group.
            """,
                headers="X-Failed-Recipients: news@client.example\n",
                subject="Delivery Status Notification (Failure)",
            ),
            (("news@client.example", "soft"),),
        ),
        Sample(
            "exim, unknown local part",
            "exim",
            plain(
                f"""
            A message that you sent could not be delivered to one or more of its recipients.
            The following address(es) failed:

              {JOE}:
                unknown local-part "joe" in domain "client.example"
            """,
                headers=f"X-Failed-Recipients: {JOE}\n",
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "exim, no mail service",
            "exim",
            plain(
                f"""
            The following address(es) failed:

              {JOE}
                an MX or SRV record indicated no SMTP service
            """,
                headers=f"X-Failed-Recipients: {JOE}\n",
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "exim, forwarded",
            "exim",
            plain(
                """
            A message that you sent could not be delivered to one or more of its recipients. This is a permanent error.
            The following address(es) failed:

              joe@elsewhere.example
                (generated from joe@client.example)
                mailbox is full: retry timeout exceeded
            """,
                headers="X-Failed-Recipients: joe@elsewhere.example\n",
            ),
            ((JOE, "soft"),),
        ),
        Sample(
            "exchange 2007 in French",
            "exchange",
            plain(
                f"""
            Échec de la remise aux destinataires ou listes de distribution suivants :

            {JOE}
            L'adresse de messagerie du destinataire n'a pas été trouvée dans le système de messagerie du destinataire.

            Informations de diagnostic pour les administrateurs :
            Serveur de génération : mx.client.example
            {JOE}
            #550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##
            """,
                subject="Non remis : A question",
                sender="postmaster@client.example",
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "exchange 2007 in German",
            "exchange",
            plain(
                f"""
            Fehler bei der Nachrichtenzustellung an folgende Empfänger oder Verteilerlisten:

            {JOE}
            Das Postfach des Empfängers ist voll und kann zurzeit keine Nachrichten annehmen.
            """,
                subject="Unzustellbar: A question",
                sender="postmaster@client.example",
            ),
            ((JOE, "soft"),),
        ),
        Sample(
            "exchange 2007 in Spanish",
            "exchange",
            plain(
                f"""
            Error de entrega a los siguientes destinatarios o grupos:

            {JOE}
            No se encontró la dirección de correo electrónico que escribió.
            """,
                subject="No se puede entregar: A question",
                sender="postmaster@client.example",
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "exchange in Swedish",
            "exchange",
            plain(
                f"""
            Det gick inte att leverera meddelandet till följande mottagare:

            {JOE}
            #550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##
            """,
                subject="Det går inte att leverera: A question",
                sender="postmaster@client.example",
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "messaging server",
            "sun",
            report(
                "Original-recipient: rfc822;joe@client.example\nFinal-recipient: rfc822;joe@ims-ms-daemon\n"
                "Action: failed\nStatus: 5.1.1 (Remote SMTP server has rejected address)\n"
                "Diagnostic-code: smtp;550 5.1.1 User Unknown"
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "local user name alone",
            "rfc3464",
            report("Final-Recipient: LOCAL;<joe>\nAction: failed\nStatus: 5.1.1", returned_to=JOE),
            ((JOE, "hard"),),
        ),
        Sample(
            "powermta, by its category",
            "powermta",
            report(
                f"Final-Recipient: rfc822;{JOE}\nAction: failed\nStatus: 5.0.0 (undefined status)\n"
                "X-PowerMTA-BounceCategory: quota-issues"
            ),
            ((JOE, "soft"),),
        ),
        Sample(
            "facebook",
            "facebook",
            report(failed(JOE, "5.1.1", "550 5.1.1 RCP-P2 Refused due to recipient preferences")),
            ((JOE, "soft"),),
        ),
        Sample(
            "webmail in Polish",
            "polish",
            plain(
                f"""
            Nie udało się dostarczyć Twojej wiadomości do następującego odbiorcy:
            {JOE}: użytkownik nie istnieje
            """,
                subject="Niedostarczona wiadomość",
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "without accents",
            "french",
            plain(
                f"""
            Votre message n'a pas pu etre remis au destinataire {JOE} : boite aux lettres pleine.
            """,
                subject="Message non remis",
            ),
            ((JOE, "soft"),),
        ),
        Sample(
            "html alone",
            "html",
            plain(
                f"""
            <html><body><p>Your message wasn&#39;t delivered to <b>{JOE}</b> because
            the address couldn&#39;t be found.</p>
            </body></html>
            """,
                subject="Delivery Status Notification (Failure)",
            ).replace(b"text/plain", b"text/html"),
            ((JOE, "hard"),),
        ),
        Sample(
            "ses, in words",
            "ses",
            plain(
                f"""
            An error occurred while trying to deliver the mail to the following recipients:
            {JOE}
            """,
                subject="Delivery Status Notification (Failure)",
                sender="MAILER-DAEMON@email-bounces.example",
            ),
            ((JOE, "soft"),),
        ),
        Sample(
            "moved",
            "qmail",
            plain(f"<{JOE}>: user has moved to {EVE}\n"),
            ((JOE, "hard"),),
        ),
        Sample(
            "frozen",
            "exim",
            plain(
                f"""
            Message 1aBcDe-0001 has been frozen (delivery error message).
            The sender is <{OURS}>.

            The following address(es) have yet to be delivered:

              {JOE}: Connection timed out
            """,
                subject="Message frozen",
            ),
            ((JOE, "delayed"),),
        ),
        Sample(
            "postfix, delay",
            "postfix",
            plain(
                f"""
            This is the mail system at host mx.relay.example.

            ####################################################################
            # THIS IS A WARNING ONLY.  YOU DO NOT NEED TO RESEND YOUR MESSAGE. #
            ####################################################################

            Your message could not be delivered for more than 4 hour(s).
            It will be retried until it is 5 day(s) old.

            <{JOE}>: connect to mx.client.example[192.0.2.9]:25: Connection timed out
            """,
                subject="Delayed Mail (still being retried)",
            ),
            ((JOE, "delayed"),),
        ),
        Sample(
            "sendmail, warning",
            "sendmail",
            plain(
                f"""
                **********************************************
                **      THIS IS A WARNING MESSAGE ONLY      **
                **  YOU DO NOT NEED TO RESEND YOUR MESSAGE  **
                **********************************************

            The original message was received at Mon, 2 Mar 2026 09:00:00 +0100

               ----- Transcript of session follows -----
            <{JOE}>... Deferred: Connection timed out with mx.client.example.
            Warning: message still undelivered after 4 hours
            Will keep trying until message is 5 days old
            """,
                subject="Warning: could not send message for past 4 hours",
            ),
            ((JOE, "delayed"),),
        ),
    ]
