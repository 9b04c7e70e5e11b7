"""What a server's refusal means, on replies as real servers word them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluenzr_app.mail.causes import Stage, enhanced_code
from fluenzr_app.mail.refusal import classify

# stage, code, words → cause, level, permanent, error code
REPLIES: list[tuple[Stage, int, str, str | None, str, bool, str | None]] = [
    # The address does not exist: the only hard bounces.
    ("rcpt", 550, "5.1.1 <joe@client.example>: Recipient address rejected: User unknown in virtual mailbox table",
     "unknown_user", "recipient", True, None),
    ("rcpt", 550, "5.1.1 The email account that you tried to reach does not exist. Please try double-checking",
     "unknown_user", "recipient", True, None),
    ("rcpt", 550, "No Such User Here", "unknown_user", "recipient", True, None),
    ("rcpt", 550, "5.4.1 Recipient address rejected: Access denied. [AM6EUR05.prod.protection.example]",
     "unknown_user", "recipient", True, None),
    ("rcpt", 550, "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
     "unknown_user", "recipient", True, None),
    ("rcpt", 554, "delivery error: dd This user doesn't have a yahoo account (joe@client.example) [0]",
     "unknown_user", "recipient", True, None),
    ("rcpt", 550, "Requested action not taken: mailbox unavailable", "unknown_user", "recipient", True, None),
    ("rcpt", 550, "5.1.1 Adresse d au moins un destinataire invalide. Destinataire inconnu",
     "unknown_user", "recipient", True, None),
    ("rcpt", 550, "", "unknown_user", "recipient", True, None),
    ("rcpt", 553, "sorry, this recipient is unknown here (#5.7.1)", "unknown_user", "recipient", True, None),
    ("rcpt", 501, "5.1.3 Bad recipient address syntax", "unknown_user", "recipient", True, None),
    ("rcpt", 450, "4.1.1 <joe@client.example>: Recipient address rejected: unverified address",
     "unknown_user", "recipient", False, None),
    ("content", 550, "5.1.1 <joe@client.example> User doesn't exist: joe@client.example",
     "unknown_user", "recipient", True, None),
    ("rcpt", 550, "5.2.1 The email account that you tried to reach is disabled.",
     "mailbox_disabled", "recipient", True, None),
    ("rcpt", 550, "joe@client.example is no longer valid", "mailbox_disabled", "recipient", True, None),
    ("rcpt", 550, "5.1.2 <joe@clinet.example>: Recipient address rejected: Domain not found",
     "bad_domain", "recipient", True, None),
    ("rcpt", 550, "5.4.4 Unrouteable mail domain", "bad_domain", "recipient", True, None),
    ("rcpt", 556, "5.1.10 Domain client.example does not accept mail (nullMX)",
     "bad_domain", "recipient", True, None),
    # The address exists, and cannot take mail just now: soft, though some carry 5.x.
    ("rcpt", 452, "4.2.2 The email account that you tried to reach is over quota.",
     "mailbox_full", "recipient", False, None),
    ("rcpt", 552, "5.2.2 <joe@client.example>: user is over quota", "mailbox_full", "recipient", False, None),
    ("rcpt", 550, "5.2.2 STOREDRV; mailbox full", "mailbox_full", "recipient", False, None),
    ("content", 554, "5.2.2 mailbox full; Quota exceeded (mailbox for user is full)",
     "mailbox_full", "recipient", False, None),
    ("rcpt", 552, "Boîte du destinataire pleine", "mailbox_full", "recipient", False, None),
    ("rcpt", 452, "4.2.2", "mailbox_full", "recipient", False, None),
    ("rcpt", 450, "4.2.1 The user you are trying to contact is receiving mail at a rate that prevents delivery",
     "recipient_busy", "recipient", False, None),
    ("rcpt", 450, "4.2.0 <joe@client.example>: Recipient address rejected: Greylisted, see help page",
     "greylisted", "recipient", False, None),
    ("rcpt", 451, "4.7.1 Greylisting in action, please come back in 5 minutes",
     "greylisted", "recipient", False, None),
    ("rcpt", 450, "Requested mail action not taken", None, "recipient", False, None),
    ("rcpt", 550, "5.4.6 Routing loop detected", "mail_loop", "recipient", False, None),
    # The content or the relation to this recipient: no bounce of the contact.
    ("content", 552, "5.3.4 Message size exceeds fixed limit", "too_large", "message", True, None),
    ("mail", 552, "5.3.4 Message size exceeds fixed maximum message size", "too_large", "message", True, None),
    ("content", 552, "5.2.3 message too large for this recipient", "too_large", "message", True, None),
    ("content", 554, "5.7.1 Message rejected as spam by content filtering", "spam", "message", True, None),
    ("content", 550, "5.7.1 Our system has detected that this message is likely unsolicited mail.",
     "spam", "message", True, None),
    ("content", 550, "spam detected", "spam", "message", True, None),
    ("content", 550, "5.7.1 Email rejected: a link in it is on dbl.spamhaus.example", "spam", "message", True, None),
    ("content", 451, "4.7.1 Message looks like SPAM, try later", "spam", "message", False, None),
    ("content", 550, "5.7.26 Unauthenticated email from anna.example is not accepted due to domain's DMARC policy",
     "sender_unverified", "message", True, None),
    ("content", 550, "5.7.1 Message rejected due to policy reasons", "policy", "message", True, None),
    ("rcpt", 550, "5.7.1 Rejected by local policy", "policy", "message", True, None),
    ("rcpt", 550, "5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; only accepts messages from insiders",
     "recipient_restricted", "message", True, None),
    ("content", 554, "Transaction failed", None, "message", True, None),
    ("content", 554, "5.6.7 SMTPUTF8 is required, but was not offered", "utf8_unsupported", "message", True, None),
    ("data", 503, "5.5.1 Bad sequence of commands", None, "message", True, None),
    ("content", 451, "4.3.0 Internal error in the content filter", "server_trouble", "message", False, None),
    # The account itself.
    ("auth", 535, "5.7.8 Error: authentication failed: (reason unavailable)",
     "bad_credentials", "account", True, "auth_failed"),
    ("auth", 535, "5.7.8 Username and Password not accepted. For more information, go to the help page",
     "bad_credentials", "account", True, "auth_failed"),
    ("auth", 535, "", "bad_credentials", "account", True, "auth_failed"),
    ("auth", 501, "5.5.2 Cannot decode response", None, "account", True, "auth_failed"),
    ("auth", 534, "5.7.9 Application-specific password required.",
     "app_password", "account", True, "app_password_required"),
    ("auth", 535, "5.7.8 Invalid login: please use an app password", "app_password", "account", True,
     "app_password_required"),
    ("auth", 535, "5.7.139 Authentication unsuccessful, basic authentication is disabled.",
     "auth_disabled", "account", True, "blocked_by_policy"),
    ("auth", 535, "5.7.8 The access token has expired", "token_expired", "account", True, "token_expired"),
    ("auth", 538, "5.7.11 Encryption required for requested authentication mechanism",
     "tls_required", "account", True, "tls_mode_mismatch"),
    ("mail", 530, "5.7.0 Must issue a STARTTLS command first", "tls_required", "account", True, "tls_mode_mismatch"),
    ("mail", 530, "5.7.1 Authentication required", "auth_required", "account", True, "auth_failed"),
    ("rcpt", 550, "5.7.1 Client was not authenticated", "auth_required", "account", True, "auth_failed"),
    ("mail", 530, "", "auth_required", "account", True, "auth_failed"),
    ("auth", 525, "5.7.13 User account disabled", "account_blocked", "account", True, "blocked_by_policy"),
    ("mail", 553, "5.7.1 <x@y.example>: Sender address rejected: not owned by user anna@anna.example",
     "sender_refused", "account", True, "sender_refused"),
    ("rcpt", 553, "5.7.1 <x@y.example>: Sender address rejected: not owned by user anna@anna.example",
     "sender_refused", "account", True, "sender_refused"),
    ("content", 554, "5.2.252 SendAsDenied; anna@anna.example not allowed to send as x@y.example",
     "sender_refused", "account", True, "sender_refused"),
    ("mail", 550, "5.1.0 Mailbox unavailable", "unknown_user", "account", True, "sender_refused"),
    ("mail", 501, "syntax error in parameters", None, "account", True, "sender_refused"),
    ("rcpt", 450, "4.1.8 <x@y.example>: Sender address rejected: Domain not found",
     "sender_refused", "account", False, "sender_refused"),
    ("rcpt", 554, "5.7.1 <joe@client.example>: Relay access denied", "relay_denied", "account", True,
     "sender_refused"),
    ("content", 550, "5.7.1 Relaying denied", "relay_denied", "message", True, None),
    ("content", 550, "5.4.5 Daily user sending limit exceeded.", "daily_quota", "account", False, "quota_exceeded"),
    ("rcpt", 550, "5.4.5 Daily sending quota exceeded", "daily_quota", "account", False, "quota_exceeded"),
    ("rcpt", 550, "5.1.90 Your message can't be sent because you've reached your daily limit for message recipients",
     "daily_quota", "account", False, "quota_exceeded"),
    ("content", 554, "5.2.0 SubmissionQuotaExceededException; the message could not be submitted",
     "daily_quota", "account", False, "quota_exceeded"),
    ("mail", 452, "4.5.3 Your message has too many recipients", "rate", "account", False, "rate_limited"),
    ("content", 550, "Vous avez dépassé votre quota d'envoi", "daily_quota", "account", False, "quota_exceeded"),
    ("rcpt", 421, "4.7.0 Too many messages from you, try again later", "rate", "account", False, "rate_limited"),
    ("mail", 450, "4.7.1 Error: too much mail, rate limit reached", "rate", "account", False, "rate_limited"),
    ("content", 421, "4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to user complaints",
     "rate", "account", False, "rate_limited"),
    ("connect", 421, "4.7.0 Too many concurrent connections from this source", "rate", "account", False,
     "rate_limited"),
    ("content", 432, "4.3.2 Concurrent connections limit exceeded", "rate", "account", False, "rate_limited"),
    ("auth", 454, "4.7.0 Too many login attempts, please try again later", "rate", "account", False, "rate_limited"),
    ("content", 550, "5.4.6 Unusual sending activity detected. Please try after sometime",
     "account_blocked", "account", True, "blocked_by_policy"),
    ("content", 550, "5.1.8 Access denied, bad outbound sender AS(42004)", "account_blocked", "account", True,
     "blocked_by_policy"),
    ("connect", 554, "5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.example",
     "client_blocked", "account", True, "blocked_by_policy"),
    ("mail", 554, "5.7.1 Rejected by policy", "policy", "account", True, "blocked_by_policy"),
    # The connection: nobody is to blame, later is better.
    ("rcpt", 554, "5.7.1 <unknown[192.0.2.1]>: Client host rejected: Access denied",
     "client_blocked", "connection", False, "blocked_by_policy"),
    ("connect", 421, "4.3.2 Service shutting down", "server_trouble", "connection", False, None),
    ("content", 421, "4.4.2 mx.client.example Error: timeout exceeded", "server_trouble", "connection", False, None),
    ("rcpt", 421, "", None, "connection", False, None),
    ("connect", 554, "No SMTP service here", None, "connection", True, "connection_refused"),
    ("mail", 452, "4.3.1 Insufficient system storage", "server_trouble", "connection", False, None),
    ("rcpt", 451, "4.3.0 <joe@client.example>: Temporary lookup failure", "server_trouble", "connection", False, None),
    ("data", 451, "4.3.0 Error: queue file write error", "server_trouble", "connection", False, None),
    ("content", 452, "4.3.1 Insufficient system storage", "server_trouble", "connection", False, None),
    ("auth", 454, "4.7.0 Temporary authentication failure: Connection lost to authentication server",
     "server_trouble", "connection", False, None),
    ("connect", 200, "HTTP/1.1 200 OK", None, "connection", False, None),
]  # fmt: skip


@pytest.mark.parametrize(("stage", "code", "words", "cause", "level", "permanent", "error_code"), REPLIES)
def test_a_refusal_is_judged_by_its_cause(
    stage: Stage, code: int, words: str, cause: str | None, level: str, permanent: bool, error_code: str | None
) -> None:
    failure = classify(stage, code, words)
    assert (failure.cause, failure.level, failure.permanent, failure.error_code) == (
        cause, level, permanent, error_code,
    )  # fmt: skip
    assert failure.certain
    assert failure.code == code


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("Greylisted, try again in 90 seconds", 90),
        ("4.7.1 Greylisting in action, please come back in 5 minutes", 300),
        ("Greylisted", 300),
        ("Rate limit exceeded: 100 mails per hour", 3600),
        ("5.4.5 Daily user sending limit exceeded", 86_400),
        ("Rate limit: retry after 2 h", 7200),
        ("listed in 3 spam lists", None),
    ],
)
def test_a_waiting_time_is_read_from_the_words(words: str, seconds: float | None) -> None:
    assert classify("rcpt", 450, words).retry_after == seconds


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("5.1.1 unknown", "5.1.1"),
        ("sorry (#5.7.1)", "5.7.1"),
        ("host 5.1.1.7 says no", None),
        ("4.3.2 then 5.1.1", "5.1.1"),
        ("nothing", None),
    ],
)
def test_the_enhanced_code_is_never_taken_from_an_ip_address(words: str, found: str | None) -> None:
    assert enhanced_code(550, words) == found


@given(st.sampled_from(["connect", "ehlo", "tls", "auth", "mail", "rcpt", "data", "content"]),
       st.integers(400, 599), st.text(max_size=80))  # fmt: skip
def test_only_a_recipient_named_after_rcpt_can_bounce(stage: Stage, code: int, words: str) -> None:
    failure = classify(stage, code, words)
    if failure.level == "recipient":
        assert stage in ("rcpt", "data", "content")
        assert failure.error_code is None
    if code < 500 and failure.level == "recipient":
        assert not failure.permanent


def test_long_words_of_a_server_are_cut() -> None:
    assert len(classify("content", 550, "no " * 1000).text) == 500
