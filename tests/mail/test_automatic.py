"""Automatic answers told from a person's, and the day of return."""

import time
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluenzr_app.mail.automatic import Automatic, automatic
from fluenzr_app.mail.incoming import parse
from fluenzr_app.mail.return_dates import return_date
from tests.mail.incoming_mails import Context, plain

C = Context()
NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
TODAY = NOW.date()


def judged(text: str, subject: str = "Re: x", headers: dict[str, str] | None = None) -> Automatic | None:
    mail = parse(plain(C, text, subject=subject, extra=list((headers or {}).items())))
    return automatic(mail, mail.text, NOW)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Auto-Submitted", "auto-replied"),
        ("Auto-Submitted", "auto-generated; owner-email=x"),
        ("Auto-Submitted", "AUTO-REPLIED (vacation)"),
        ("X-Autoreply", "yes"),
        ("X-Autorespond", "Une question"),
        ("Precedence", "auto_reply"),
        ("X-MS-Exchange-Inbox-Rules-Loop", "zoe@acme.example"),
        ("X-POST-MessageClass", "9; Autoresponder"),
    ],
)
def test_a_header_tells_of_an_automatic_answer(header: str, value: str) -> None:
    found = judged("Thank you.", headers={header: value})
    assert found is not None
    assert found.kind == "auto_reply"
    assert found.why.lower().startswith(header.lower())


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Auto-Submitted", "no"),
        ("X-Autoreply", "no"),
        ("X-Auto-Response-Suppress", "All"),
        ("Precedence", "bulk"),
        ("X-Mailer", "Outlook"),
    ],
)
def test_other_headers_leave_a_person_a_person(header: str, value: str) -> None:
    assert judged("Yes, call me.", headers={header: value}) is None


@pytest.mark.parametrize(
    "subject",
    [
        "Automatic reply: x", "Out of Office: x", "Réponse automatique : x", "Absence du bureau",
        "Automatische Antwort: x",
        "Abwesenheitsnotiz: x", "Respuesta automática: x", "Risposta automatica: x", "Automatisch antwoord: x",
        "自動応答: x",
    ],
)  # fmt: skip
def test_a_subject_tells_of_an_automatic_answer(subject: str) -> None:
    found = judged("Hello", subject)
    assert found is not None
    assert found.why == "subject"


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Re: x", "I am on holiday next week, but yes, call me"),
        ("Re: x", "Je suis en congés jusqu’au 30 novembre, rappelez-moi après."),
        ("Re: Automatic reply: x", "Welcome back, shall we talk?"),
        ("Absence of a budget", "We have none, sorry."),
        ("Re: x", "We received your message and find it interesting."),
    ],
)
def test_a_person_who_speaks_of_absence_is_a_person(subject: str, text: str) -> None:
    assert judged(text, subject) is None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("I am out of the office.", "out_of_office"),
        ("Je suis en congé.", "out_of_office"),
        ("Ich bin im Urlaub.", "out_of_office"),
        ("Estoy de vacaciones.", "out_of_office"),
        ("Sono in ferie.", "out_of_office"),
        ("Ik ben op vakantie.", "out_of_office"),
        ("We have received your request and will get back to you by 30 November.", "auto_reply"),
    ],
)
def test_an_absence_is_told_from_an_acknowledgement(text: str, kind: str) -> None:
    found = judged(text, headers={"Auto-Submitted": "auto-replied"})
    assert found is not None
    assert (found.kind, found.returns_on) == (kind, None)


def test_a_ticket_system_is_known_by_its_words_and_its_number() -> None:
    assert judged("Ihre Anfrage ist eingegangen.", "[Ticket #4821] x") == Automatic("auto_reply", None, "ticket")


def test_an_american_clock_reads_the_month_first() -> None:
    raw = plain(C, "I am back on 12/01.", subject="Out of Office")
    assert automatic(parse(raw), "I am back on 12/01.", NOW) == Automatic("out_of_office", date(2027, 1, 12), "subject")
    american = raw.replace(b"10:00:00 +0100", b"04:00:00 -0500")
    assert automatic(parse(american), "I am back on 12/01.", NOW) == Automatic(
        "out_of_office", date(2026, 12, 1), "subject"
    )


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Je serai de retour le lundi 30 novembre.", date(2026, 11, 30)),
        ("De retour le 1er décembre", date(2026, 12, 1)),
        ("À partir du 30 novembre, je serai de retour", date(2026, 11, 30)),
        ("Absente jusqu’au vendredi 27 novembre inclus", date(2026, 11, 28)),
        ("Absent du 20 au 29 novembre 2026", date(2026, 11, 30)),
        ("De retour lundi", date(2026, 11, 30)),
        ("back on Nov 30", date(2026, 11, 30)),
        ("returning on Monday, November 30th, 2026", date(2026, 11, 30)),
        ("I will return to the office on 2026-11-30", date(2026, 11, 30)),
        ("I am out until 30/11/2026 inclusive", date(2026, 12, 1)),
        ("I am away until 30 November", date(2026, 11, 30)),
        ("I am out through Nov 30, 2026", date(2026, 12, 1)),
        ("I am on leave from 20 Nov to 29 Nov", date(2026, 11, 30)),
        ("I'll be back on Monday", date(2026, 11, 30)),
        ("back tomorrow", date(2026, 11, 25)),
        ("Back on January 5", date(2027, 1, 5)),
        ("Ich bin ab dem 30.11. wieder erreichbar.", date(2026, 11, 30)),
        ("Ich bin bis zum 29. November nicht im Büro.", date(2026, 11, 30)),
        ("Bis 29.11. bin ich nicht da, danach wieder", date(2026, 11, 30)),
        ("Zurück am Montag, den 30. November 2026", date(2026, 11, 30)),
        ("Vuelvo el 30 de noviembre", date(2026, 11, 30)),
        ("Estaré fuera del 20 al 29 de noviembre", date(2026, 11, 30)),
        ("Rientro il 30 novembre", date(2026, 11, 30)),
        ("dal 20 al 29 novembre", date(2026, 11, 30)),
        ("Ik ben maandag 30 november terug", date(2026, 11, 30)),
        ("tot en met 29 november", date(2026, 11, 30)),
        ("t/m 29-11-2026", date(2026, 11, 30)),
        ("back on November 20", None),
        ("back on 20 Nov 2025", None),
        ("back in 2031-01-01", None),
        ("back 99/99", None),
        ("back at 10:30", None),
        ("I was back on my feet. See 30/11", None),
        ("Merci de votre retour avant le 2 décembre", None),
        ("", None),
    ],
)
def test_the_day_of_return_is_read_in_six_languages(text: str, day: date | None) -> None:
    assert return_date(text, TODAY) == day


@pytest.mark.parametrize(
    "hostile", ["back " * 1_000, "from " * 1_000, "back 1" * 700, "30/11 back " * 400, "du " * 2_000]
)
def test_no_text_takes_long(hostile: str) -> None:
    began = time.thread_time()
    judged(hostile)
    return_date(hostile, TODAY)
    assert time.thread_time() - began < 0.5


@given(st.text(max_size=200), st.dates(date(1999, 1, 1), date(2090, 1, 1)))
def test_a_day_of_return_is_always_ahead(text: str, today: date) -> None:
    found = return_date(f"back {text} back 1/2 bis {text}", today)
    assert found is None or found > today
