"""Reports in words alone, laid out as the large servers and providers do, in words of our own."""

from __future__ import annotations

from fluenzr_app.bench.bounce_mails import EVE, JOE, Sample, plain


def of_large_servers() -> list[Sample]:
    """Postfix, Exim, qmail, Sendmail, Exchange, Office 365, Gmail, Yahoo, Outlook.com."""
    return [
        Sample(
            "postfix, text alone",
            "postfix",
            plain(
                f"""
            This is the mail system at host mx.relay.example.

            I'm sorry to have to inform you that your message could not be delivered to one or more recipients.
            For further assistance, please send mail to postmaster@relay.example.

            <{JOE}>: host mx.client.example[192.0.2.9] said: 550 5.1.1 <{JOE}>: Recipient address
                rejected: User unknown in virtual mailbox table (in reply to RCPT TO command)
            """,
                returned_to=JOE,
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "exim",
            "exim",
            plain(
                f"""
            This message was created automatically by mail delivery software.

            A message that you sent could not be delivered to one or more of its recipients.
            This is a permanent error. The following address(es) failed:

              {JOE}
                host mx.client.example [192.0.2.9]
                SMTP error from remote mail server after RCPT TO:<{JOE}>:
                550 Unrouteable address

            ------ This is a copy of the message, including all the headers. ------
            """,
                headers=f"X-Failed-Recipients: {JOE}\n",
                returned_to=JOE,
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "exim, no reason but time",
            "exim",
            plain(
                f"""
            A message that you sent could not be delivered to one or more of its recipients.
            This is a permanent error. The following address(es) failed:

              {JOE}
                retry timeout exceeded
            """,
                subject="Mail delivery failed: returning message to sender",
            ),
            ((JOE, "soft"),),
        ),
        Sample(
            "exim, warning",
            "exim",
            plain(
                f"""
            This message was created automatically by mail delivery software.
            A message that you sent has not yet been delivered to one or more of its recipients after more than 24 hours
            on the queue on mx.relay.example.

            The address to which the message has not yet been delivered is:

              {JOE}
                Delay reason: Connection refused

            No action is required on your part. Delivery attempts will continue for some time.
            """,
                subject="Warning: message 1abc delayed 24 hours",
            ),
            ((JOE, "delayed"),),
        ),
        Sample(
            "qmail",
            "qmail",
            plain(
                f"""
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
            """,
                subject="failure notice",
                returned_to=f"{JOE}, {EVE}",
            ),
            ((JOE, "hard"), (EVE, "soft")),
        ),
        Sample(
            "sendmail",
            "sendmail",
            plain(
                f"""
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
            """,
                subject="Returned mail: see transcript for details",
            ),
            ((JOE, "soft"),),
        ),
        Sample(
            "exchange 5.5",
            "exchange",
            plain(
                f"""
            Your message

              To:      Joe Client; Eve Client
              Subject: A question about your catalogue
              Sent:    Mon, 2 Mar 2026 09:00:00 +0100

            did not reach the following recipient(s):

            {JOE} on Mon, 2 Mar 2026 09:00:05 +0100
                The recipient name is not recognized
                The MTS-ID of the original message is: c=us;a= ;p=client;l=MAIL0101
                MSEXCH:IMS:Client:SITE:MAIL 0 (000C05A6) Unknown Recipient
            """,
                sender="System Administrator <postmaster@client.example>",
                subject="Undeliverable: A question about your catalogue",
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "office 365, text alone",
            "office365",
            plain(
                f"""
            Delivery has failed to these recipients or groups:

            {JOE} (mailto:{JOE})
            The email address you entered couldn't be found. Please check the address and try to resend the message.
            If the problem continues, please contact your email admin at helpdesk@client.example.

            Diagnostic information for administrators:
            Generating server: AM0PR01.prod.example
            {JOE}
            Remote Server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found by SMTP address lookup'
            """,
                sender="postmaster@client.example",
                subject="Undeliverable: A question",
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "office 365, mailbox full",
            "office365",
            plain(
                f"""
            Delivery has failed to these recipients or groups:

            Joe Client ({JOE})
            The recipient's mailbox is full and can't accept messages now. Please try resending your message later.
            """,
                sender="Microsoft Outlook <postmaster@client.example>",
                subject="Undeliverable: A question",
            ),
            ((JOE, "soft"),),
        ),
        Sample(
            "gmail",
            "gmail",
            plain(
                f"""
            ** Address not found **

            Your message wasn't delivered to {JOE} because the address couldn't be found, or is unable to receive mail.

            The response from the remote server was:
            550 5.1.1 The email account that you tried to reach does not exist.
            """,
                sender="Mail Delivery Subsystem <mailer-daemon@googlemail.example>",
                subject="Delivery Status Notification (Failure)",
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "gmail in German",
            "gmail",
            plain(
                f"""
            ** Adresse nicht gefunden **

            Ihre Nachricht wurde nicht an {JOE} zugestellt, weil die Adresse nicht gefunden wurde
            oder keine E-Mails empfangen kann.
            """,
                sender="Mail Delivery Subsystem <mailer-daemon@googlemail.example>",
                subject="Delivery Status Notification (Failure)",
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "gmail in French",
            "gmail",
            plain(
                f"""
            ** Adresse introuvable **

            Votre message n'est pas parvenu à {JOE}, car l'adresse est introuvable ou ne peut pas recevoir d'e-mails.
            """,
                sender="Mail Delivery Subsystem <mailer-daemon@googlemail.example>",
                subject="Delivery Status Notification (Failure)",
            ),
            ((JOE, "hard"),),
        ),
        Sample(
            "gmail, still trying",
            "gmail",
            plain(
                f"""
            This is an automatically generated Delivery Status Notification

            THIS IS A WARNING MESSAGE ONLY. YOU DO NOT NEED TO RESEND YOUR MESSAGE.

            Delivery to the following recipient has been delayed:

                 {JOE}

            Message will be retried for 2 more day(s)
            """,
                subject="Delivery Status Notification (Delay)",
            ),
            ((JOE, "delayed"),),
        ),
        Sample(
            "yahoo",
            "yahoo",
            plain(
                f"""
            Sorry, we were unable to deliver your message to the following address.

            <{JOE}>:
            552: 5.2.2 mailbox full

            --- Below this line is a copy of the message.
            """,
                subject="Failure Notice",
                sender="MAILER-DAEMON@yahoo.example",
                returned_to=JOE,
            ),
            ((JOE, "soft"),),
        ),
        Sample(
            "hotmail",
            "outlook",
            plain(
                f"""
            This is an automatically generated Delivery Status Notification.

            Delivery to the following recipients failed.

                   {JOE}
            """,
                subject="Delivery Status Notification (Failure)",
                sender="postmaster@mail.hot.example",
            ),
            ((JOE, "soft"),),
        ),
    ]
