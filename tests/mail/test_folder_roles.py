"""Which folder is which, on servers that say so and on those that leave it to guess; and what LIST and others say."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluenzr_app.mail import imap_answers as answers
from fluenzr_app.mail.folder_roles import with_roles


def _roles(*lines: bytes | tuple[bytes, bytes]) -> dict[str, str]:
    return {folder.name: folder.role for folder in with_roles(answers.listed(lines))}


def test_what_the_server_says_goes_before_names() -> None:
    assert _roles(
        b'(\\HasNoChildren) "/" "INBOX"',
        b'(\\HasChildren \\Noselect) "/" "[Gmail]"',
        b'(\\All \\HasNoChildren) "/" "[Gmail]/Tous les messages"',
        b'(\\HasNoChildren \\Junk) "/" "[Gmail]/Spam"',
        b'(\\HasNoChildren \\Sent) "/" "[Gmail]/Messages envoy&AOk-s"',
        b'(\\Drafts \\HasNoChildren) "/" "[Gmail]/Brouillons"',
        b'(\\HasNoChildren \\Trash) "/" "[Gmail]/Corbeille"',
        b'(\\Flagged \\HasNoChildren) "/" "[Gmail]/Suivis"',
        b'(\\HasNoChildren) "/" "Sent"',
        b'(\\HasNoChildren) "/" "Junk"',
    ) == {
        "INBOX": "inbox",
        "[Gmail]/Tous les messages": "archive",
        "[Gmail]/Spam": "junk",
        "[Gmail]/Messages envoyés": "sent",
        "[Gmail]/Brouillons": "drafts",
        "[Gmail]/Corbeille": "trash",
        "[Gmail]/Suivis": "other",
        "Sent": "other",
        "Junk": "other",
    }


def test_each_role_is_given_once_even_where_the_server_says_it_twice() -> None:
    assert _roles(b'(\\Sent) "/" Old', b'(\\Sent) "/" New', b'(\\Archive) "/" INBOX') == {
        "Old": "sent",
        "New": "other",
        "INBOX": "inbox",
    }


@pytest.mark.parametrize(
    ("delimiter", "names"),
    [
        (b".", {b"INBOX.Sent": "sent", b"INBOX.Junk": "junk", b"INBOX.Drafts": "drafts", b"INBOX.Trash": "trash"}),
        (b"/", {b"Sent Items": "sent", b"Junk Email": "junk", b"Deleted Items": "trash", b"Clients/Sent": "other"}),
        (b"/", {b"&AMk-l&AOk-ments envoy&AOk-s": "sent", b"Courrier ind&AOk-sirable": "junk",
                b"&AMk-l&AOk-ments supprim&AOk-s": "trash", b"Brouillons": "drafts", b"Archives": "archive"}),
        (b"/", {b"Ind&AOk-sirables": "junk", b"Envoy&AOk-s": "sent", b"Corbeille": "trash"}),
        (b"/", {b"Gesendete Elemente": "sent", b"Junk-E-Mail": "junk", b"Entw&APw-rfe": "drafts",
                b"Gel&APY-schte Elemente": "trash"}),
        (b"/", {b"Gesendet": "sent", b"Spamverdacht": "junk", b"Papierkorb": "trash"}),
        (b"/", {b"Elementos enviados": "sent", b"Correo no deseado": "junk", b"Borradores": "drafts"}),
        (b"/", {b"Posta inviata": "sent", b"Posta indesiderata": "junk", b"Bozze": "drafts", b"Cestino": "trash"}),
        (b"/", {b"Sent": "sent", b"Sent Items": "other", b"Sent Messages": "other", b"Spam": "junk", b"Bulk": "other"}),
    ],
)  # fmt: skip
def test_without_special_uses_names_in_five_languages_tell(delimiter: bytes, names: dict[bytes, str]) -> None:
    lines = [b'(\\HasNoChildren) "' + delimiter + b'" "' + name + b'"' for name in names]
    found = _roles(*reversed(lines), b'() "' + delimiter + b'" INBOX')
    assert found.pop("INBOX") == "inbox"
    assert list(found.values()) == list(reversed(names.values()))


def test_the_inbox_comes_first_whatever_its_spelling() -> None:
    folders = with_roles(answers.listed([b'() "/" Archive', b'() "/" "Inbox"']))
    assert [(folder.name, folder.role) for folder in folders] == [("Inbox", "inbox"), ("Archive", "archive")]


def test_names_come_as_atoms_quoted_or_as_literals_and_broken_ones_are_left_out() -> None:
    found = answers.listed(
        [
            b"() NIL INBOX",
            b'(\\Marked) "/" a[b]c&AOk-',
            (b'() "/" {9}', b'say "(hi)'),
            b"",
            b'() "\\\\" "back\\\\slash \\"x\\""',
            b'() "/" "&broken"',
            "() \"/\" \"brut é\"".encode(),
            b'() "/" "&AGEAYg-"',
            b"nonsense",
            b"( (",
            b"",
        ]
    )  # fmt: skip
    assert [(each.name, each.delimiter) for each in found] == [
        ("INBOX", ""),
        ("a[b]cé", "/"),
        ('say "(hi)', "/"),
        ('back\\slash "x"', "\\"),
    ]


def test_a_date_is_read_with_its_zone() -> None:
    assert answers.moment(b" 7-Feb-1996 02:44:25 -0700") == datetime(1996, 2, 7, 9, 44, 25, tzinfo=UTC)
    assert answers.moment(b"17-JUL-2026 23:59:59 +0530") == datetime(2026, 7, 17, 18, 29, 59, tzinfo=UTC)
    for text in (b"", b"17-Xyz-2026 02:44:25 -0700", b"40-Jul-2026 02:44:25 -0700", b"01-Jan-0001 00:00:00 +0100"):
        with pytest.raises(ValueError):
            answers.moment(text)


def test_a_header_cannot_pass_for_another_item() -> None:
    parts: list[answers.Part] = [
        (b"7 (UID 5 BODY[HEADER.FIELDS (MESSAGE-ID)]<0> {30}", b') UID 6 RFC822.SIZE 9 "x" {3}\r\n'),
        b' INTERNALDATE "1-Jan-2026 00:00:00 +0000" FLAGS (\\Seen ("(" x)) RFC822.SIZE 44)',
        b'8 (BODY[HEADER] "a \\") UID 9" UID 10)',
        b"nonsense",
        b"9 (",
        (b"9 (X (a {1}", b"("),
        b") UID 11)",
    ]
    first, second, *others = answers.fetched(parts)
    assert first == {
        "UID": b"5", "BODY": b') UID 6 RFC822.SIZE 9 "x" {3}\r\n',
        "INTERNALDATE": b"1-Jan-2026 00:00:00 +0000", "RFC822.SIZE": b"44",
    }  # fmt: skip
    assert second == {"BODY": b'a ") UID 9', "UID": b"10"}
    assert others == [{}, {}, {"UID": b"11"}]


_PART = st.one_of(
    st.none(),
    st.binary(max_size=40),
    st.text('()"\\ {}[]0123456789UIDBODYnil*\0é', max_size=60).map(str.encode),
    st.tuples(st.text('(U ID5BODY[]" {3}', max_size=20).map(str.encode), st.binary(max_size=20)),
)


@given(st.lists(_PART, max_size=6))
def test_whatever_a_server_says_is_read_or_refused(parts: list[answers.Part]) -> None:
    list(answers.listed(parts))
    list(answers.fetched(parts))
    for reading in (answers.numbers, answers.counts):
        try:
            reading(parts)
        except ValueError:
            continue
