"""Reading a mail from whatever bytes arrive."""

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fluenzr_app.mail.abuse import abuse_report
from fluenzr_app.mail.errors import AttachmentMissing
from fluenzr_app.mail.incoming import IncomingMail, Kind, Person, attachment_content, parse, parse_headers
from fluenzr_app.mail.quoted import split
from tests.mail.incoming_mails import Context, headed, multipart, part, plain

C = Context()


def quick(raw: bytes) -> IncomingMail:
    began = time.thread_time()
    mail = parse(raw)
    assert time.thread_time() - began < 1
    return mail


def test_who_wrote_what_in_answer_to_which_mail() -> None:
    mail = parse(plain(C, "Oui.\n", extra=[("Cc", "Paul <paul@acme.example>, b@acme.example")]))
    assert mail.sender == Person("Zoé Martin", "zoe.martin@acme.example", "zoe.martin@acme.example")
    assert mail.to == (Person("Ada Rey", "ada@fluenzr.example", "ada@fluenzr.example"),)
    assert [person.name for person in mail.cc] == ["Paul", ""]
    assert (mail.rfc_id, mail.in_reply_to, mail.references) == ("<x1@acme.example>", (C.rfc_id,), (C.rfc_id,))
    assert mail.subject == "Re: Une question sur vos achats"
    assert mail.date == datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    assert (mail.text, mail.html, mail.attachments, mail.truncated) == ("Oui.\n".strip(), "", (), False)


@pytest.mark.parametrize(
    ("written", "name", "address"),
    [
        ("Weiß, Anna <anna@x.example>", "Weiß, Anna", "anna@x.example"),
        ('"Weiß, Anna" <anna@x.example>', "Weiß, Anna", "anna@x.example"),
        ("=?utf-8?B?V2Vpw58sIEFubmE=?= <anna@x.example>", "Weiß, Anna", "anna@x.example"),
        ("=?utf-8?q?Anna_=3Canna=40x=2Eexample=3E?=", "Anna", "anna@x.example"),
        ("anna@x.example (Anna)", "Anna", "anna@x.example"),
        ("<ANNA@X.example>", "", "ANNA@X.example"),
        ("'anna@x.example' <anna@x.example>", "", "anna@x.example"),
        ("\u202eanna\x07 <anna@x.example>", "anna", "anna@x.example"),
    ],
)
def test_a_sender_is_found_however_it_is_written(written: str, name: str, address: str) -> None:
    sender = parse(f"From: {written}\n\nx".encode()).sender
    assert (sender.name, sender.address, sender.key) == (name, address, address.lower())


@pytest.mark.parametrize(
    "written", ["", "Anna", "<>", "undisclosed-recipients:;", "@", "((((", '"', "a@b@c <", "<x@-y>"]
)
def test_what_is_no_address_has_no_key(written: str) -> None:
    assert parse(f"From: {written}\n\nx".encode()).sender.key == ""


@pytest.mark.parametrize(
    ("written", "subject"),
    [
        ("=?utf-8?q?=C3=A9t?=\r\n =?utf-8?q?=C3=A9?=", "été"),
        ("=?iso-8859-1?Q?caf=E9?= ici", "café ici"),
        ("=?utf-8?b?w6k", "=?utf-8?b?w6k"),
        ("été", "été"),
        ("a\r\n\tb", "a b"),
        ("=?utf-8?q?a=0D=0ABcc:_x?=", "a Bcc: x"),
        ("=?x-none?q?=E9?=", "é"),
        ("x" * 3_000, "x" * 998),
    ],
)
def test_a_subject_is_one_decoded_line(written: str, subject: str) -> None:
    assert parse(f"Subject: {written}\r\n\r\nx".encode()).subject == subject


def test_an_id_that_no_database_would_take_is_none() -> None:
    mail = parse(b"Message-ID: <a\0b@x>\nIn-Reply-To: <c\x01@x> <ok@x>\nReferences: bare@x junk\n\nx")
    assert (mail.rfc_id, mail.in_reply_to, mail.references) == ("", ("<ok@x>",), ("<bare@x>",))


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("Tue, 24 Nov 2026 10:00:00 +0100", datetime(2026, 11, 24, 9, 0, tzinfo=UTC)),
        ("24 Nov 2026 10:00", datetime(2026, 11, 24, 10, 0, tzinfo=UTC)),
        ("Thu, 01 Jan 1970 00:00:00 +0000", None),
        ("Tue, 24 Nov 9999 10:00:00 +0100", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_a_date_is_utc_or_none(written: str, found: datetime | None) -> None:
    assert parse(f"Date: {written}\n\nx".encode()).date == found


def test_headers_are_found_in_any_case_and_as_often_as_they_stand() -> None:
    mail = parse(b"X-A: =?utf-8?q?=C3=A9?=\nx-a: two\n lines\n\nx")
    assert mail.header("x-A") == "é"
    assert mail.headers("X-a") == ("é", "two lines")
    assert (mail.header("none"), mail.headers("none")) == ("", ())


def test_headers_alone_tell_the_same_as_the_whole_mail() -> None:
    raw = plain(C, "Oui.")
    head = parse_headers(raw[: raw.index(b"\r\n\r\n") + 4])
    whole = parse(raw)
    assert (head.rfc_id, head.sender, head.subject, head.date) == (
        whole.rfc_id,
        whole.sender,
        whole.subject,
        whole.date,
    )
    assert (head.text, head.attachments) == ("", ())


def test_files_have_safe_names_and_their_content_can_be_had() -> None:
    names = ["../../etc/passwd", "C:\\x\\évil\u202efdp.exe", "a\r\nb.pdf", "..", ""]
    parts = [part("text/plain; charset=utf-8", "Voici.")]
    for name in names:
        encoded = "".join(f"%{octet:02X}" for octet in name.encode())
        parts.append(
            part("application/pdf", b"%PDF", extra=[("Content-Disposition", f"attachment; filename*=utf-8''{encoded}")])
        )
    raw = headed(C, multipart("m", parts), content='multipart/mixed; boundary="m"')
    mail = parse(raw)
    assert [file.filename for file in mail.attachments] == [
        "passwd", "évilfdp.exe", "a b.pdf", "attachment-4.pdf", "attachment-5.pdf",
    ]  # fmt: skip
    assert mail.text == "Voici."
    assert attachment_content(raw, 2) == (mail.attachments[2], b"%PDF")
    for missing in (-1, 5, 10**9):
        with pytest.raises(AttachmentMissing):
            attachment_content(raw, missing)


def test_images_shown_inside_are_marked() -> None:
    image = part("image/png", b"x", extra=[("Content-ID", "<logo@x>")])
    body = multipart("r", (part("text/html; charset=utf-8", "<img src='cid:logo@x'>"), image))
    file = parse(headed(C, body, content='multipart/related; boundary="r"')).attachments[0]
    assert (file.content_id, file.inline, file.size, file.content_type) == ("logo@x", True, 1, "image/png")


def test_text_around_a_file_and_a_forwarded_mail_is_kept_in_order() -> None:
    inner = part("message/rfc822", "From: x@y.example\nSubject: inner\n\ninner words\n")
    pieces = (part("text/plain; charset=utf-8", "before"), inner, part("text/plain; charset=utf-8", "after"))
    mail = parse(headed(C, multipart("m", pieces), content='multipart/mixed; boundary="m"'))
    assert mail.text == "before\n\nafter"
    assert mail.attachments[0].filename == "message-1.eml"


def test_html_alone_gives_words_too() -> None:
    mail = parse(headed(C, b"<p>Oui<br>non</p>", content="text/html"))
    assert (mail.text, mail.html) == ("Oui\nnon", "<p>Oui<br>non</p>")


@pytest.mark.parametrize(
    ("content", "body", "kind"),
    [
        ('multipart/encrypted; boundary="x"', b"--x--", Kind.ENCRYPTED),
        ("text/plain", b"-----BEGIN PGP MESSAGE-----\r\n\r\nx", Kind.ENCRYPTED),
        ("application/pkcs7-mime; smime-type=signed-data", b"", Kind.SIGNED),
        ("text/calendar; method=REPLY", b"", Kind.CALENDAR_ANSWER),
        ("text/calendar; method=REQUEST", b"", Kind.CALENDAR_INVITATION),
        ("multipart/report; report-type=delivery-status; boundary=x", b"", Kind.DELIVERY_REPORT),
        ("multipart/report; report-type=disposition-notification; boundary=x", b"", Kind.READ_RECEIPT),
        ("multipart/report; report-type=feedback-report; boundary=x", b"", Kind.ABUSE_REPORT),
    ],
)
def test_a_mail_knows_what_it_is(content: str, body: bytes, kind: Kind) -> None:
    assert kind in parse(headed(C, body, content=content)).kinds


@pytest.mark.parametrize("subject", ["Fwd: x", "TR : x", "WG: x", "Re: FW: x", "RV: x"])
def test_a_forwarded_mail_is_known_by_its_subject(subject: str) -> None:
    assert parse(plain(C, "x", subject=subject)).is_forwarded


def test_a_mail_cut_off_says_so_and_shows_what_there_is() -> None:
    raw = plain(C, "Oui, c’est moi.\n" * 2000, encoding="base64")
    mail = parse(raw[:3001], whole_size=len(raw))
    assert mail.truncated
    assert mail.size == len(raw)
    assert mail.text.startswith("Oui, c’est moi.")


HOSTILE = {
    "nothing": b"",
    "NULs": b"\0" * 20_000_000,
    "one line": b"X" * 20_000_000,
    "20 MB of text": b"Subject: x\n\n" + b"hello world and so on\n" * 900_000,
    "20 MB of HTML": b"Content-Type: text/html\n\n" + b"<p>hello <b>world</b></p>\n" * 750_000,
    "headers without end": b"X-A: b\n" * 2_800_000,
    "10,000 headers": b"X-A: b\n" * 10_000 + b"\nhi",
    "10,000 parts": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"\n--b\nContent-Type: a/b\n\nhi" * 10_000,
    "false boundaries": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"\n--bx" * 4_000_000,
    "deep parts": b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(10_000)),
    "deep HTML": b"Content-Type: text/html\n\n" + b"<div>" * 3_000_000,
    "open tags": b"Content-Type: text/html\n\n" + b'<a "' * 3_000_000,
    "comments in an address": b"From: " + b"(" * 50_000 + b"\n\nhi",
    "many addresses": b"To: " + b"a@b.example," * 50_000 + b"\nCc: " + b'"\\' * 30_000 + b"\n\nhi",
    "encoded words": b"Subject: " + b"=?utf-8?q?a?= " * 20_000 + b"=?utf-8?q?" * 10_000 + b"\n\nhi",
    "parameters": b"Content-Type: text/plain" + b"; a*1*=x" * 10_000 + b";a=" + b'"' * 9_999 + b"\n\nhi",
    "ids": b"References: " + b"<a@b>" * 10_000 + b"\nMessage-ID: " + b"<" * 60_000 + b"\n\nhi",
    "quotations": b"Subject: x\n\n" + b"On 1 Jan 2026 a@b wrote:\n" * 100_000,
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_mail_takes_a_second_or_raises(raw: bytes) -> None:
    quick(raw)
    parse_headers(raw[:1_000_000])


_PIECES = [
    b"From: ", b"To: a@b.example", b"Subject: ", b"=?utf-8?q?=C3?=", b"=?iso-2022-jp?b?GyRC?=", b"Date: ", b"\r\n",
    b"\n",
    b"\r", b"Content-Type: multipart/mixed; boundary=b", b"Content-Type: text/html; charset=", b"utf-16", b"utf-7",
    b"idna", b"hex", b"--b", b"--b--", b"Content-Transfer-Encoding: base64", b"quoted-printable", b"x-uuencode",
    b"begin 644 a", b"message/rfc822", b"<p>", b"\xff\xfe", b"\xd8\x00", b"\0", b"; name*0*=utf-8''%ff", b'"', b"<",
    b">",
    b"Message-ID: <a@b>", b"format=flowed", b" ", b"=", b"AAAA", b"Content-Disposition: attachment; filename=",
]  # fmt: skip


@settings(deadline=5000, max_examples=300)
@given(st.lists(st.sampled_from(_PIECES) | st.binary(max_size=20), max_size=40).map(b"".join))
def test_any_bytes_are_a_mail(raw: bytes) -> None:
    mail = quick(raw)
    for file in mail.attachments:
        assert file.filename.strip(". ")
        assert not set(file.filename) & set('/\\\r\n\0"')
        assert len(attachment_content(raw, file.index)[1]) == file.size
    for text in (mail.text, mail.html, mail.subject, mail.sender.name, *(value for _, value in mail.fields)):
        text.encode()
    assert "\n" not in mail.subject
    shown = (mail.text, mail.html, mail.subject, mail.sender.name, mail.sender.address, mail.rfc_id)
    assert not any(
        "\0" in value for value in (*shown, *mail.references, *(file.content_id for file in mail.attachments))
    )
    split(mail)
    abuse_report(raw)
    parse_headers(raw)
