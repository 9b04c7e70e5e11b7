"""Simulated people: what they decide, when, and that the product understands what they send."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from fluenzr_app.crypto import KeyRing
from fluenzr_app.demo import mail_programs, reports, wording
from fluenzr_app.demo.letter import PARIS, Letter, cover_of, opened
from fluenzr_app.demo.mail_programs import Program, Writer
from fluenzr_app.demo.mailboxes import opener
from fluenzr_app.demo.post_office import HOST, DemoPostOffice
from fluenzr_app.demo.recipients import Posting, Recipients, Visit
from fluenzr_app.demo.temperament import GONE_SHARE, Person, Reaction, read_and_answered
from fluenzr_app.demo.wording import Topic
from fluenzr_app.inbox.prepared import Place, Prepared, prepare
from fluenzr_app.mail.compose import Draft, compose
from fluenzr_app.mail.imap_session import ImapSession, ImapSettings
from fluenzr_app.mail.mailbox import MailboxFailure
from fluenzr_app.mail.sandbox import ReceivedMail
from fluenzr_app.mail.transport import SendFailure
from fluenzr_app.settings import load_settings
from tests.demo.seeded import KEY, Seeded

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=PARIS)
ACCOUNT = "lea@nova-conseil.example"
ADELE = "adele.abadie@scierie-du-lac.example"
PROGRAMS: tuple[Program, ...] = ("gmail", "outlook", "apple", "iphone", "thunderbird")
TOPICS: tuple[Topic, ...] = ("interested", "price", "date", "colleague", "not_now", "not_interested", "stop", "back")
LETTER = Letter(
    rfc_id="<first@nova-conseil.example>",
    references=("<earlier@nova-conseil.example>",),
    subject="Vos délais, chez Scierie du Lac",
    from_name="Léa Marchetti",
    from_address=ACCOUNT,
    to_name="Adèle Abadie",
    to_address=ADELE,
    text="Bonjour Adèle,\n\nUne question : qui s’en occupe ?\n\nLéa Marchetti\nNova Conseil · 12 quai des Tanneurs",
    at=NOW - timedelta(hours=2),
    stop_link="http://127.0.0.1:8000/u/token",
    stop_mail="unsubscribe token",
)


def _read(raw: bytes) -> Prepared:
    return prepare(Place(1, 1, ACCOUNT, "INBOX", 1, 1, NOW), raw, len(raw), NOW)


def _received(number: int = 1, *, recipient: str = ADELE, by_hand: bool = False, at: datetime = NOW) -> ReceivedMail:
    draft = Draft(
        sender_address=ACCOUNT, to_address=recipient, subject="Vos délais", text="Bonjour,\n\nQui s’en occupe ?",
        rfc_id=f"<mail-{number}@nova-conseil.example>", date=at, sender_name="Léa Marchetti", to_name="Adèle Abadie",
        unsubscribe_url=None if by_hand else "http://127.0.0.1:8000/u/token",
        unsubscribe_mailto=None if by_hand else f"mailto:{ACCOUNT}?subject=unsubscribe%20token",
    )  # fmt: skip
    return ReceivedMail(number, at, ACCOUNT, ACCOUNT, recipient, compose(draft).raw)


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("topic", TOPICS)
def test_an_answer_is_a_persons_whose_new_words_are_told_from_the_quoted_ones(program: Program, topic: Topic) -> None:
    for chance in range(8):
        rng = random.Random(chance)
        text = wording.first_answer(topic, rng, NOW.date(), who="Léa", colleague=("Maud Esteban", "m@scierie.example"))
        mail = _read(mail_programs.answer(Writer("Adèle Abadie", ADELE, program), LETTER, text, NOW, rng))
        assert mail.automatic is None
        assert mail.report is None
        assert mail.split.new.startswith(text)
        assert "qui s’en occupe" not in mail.split.new
        assert "qui s’en occupe" in mail.split.quoted
        assert mail.asks_to_stop == (topic == "stop"), text
        assert LETTER.rfc_id in mail.mail.in_reply_to
        assert mail.mail.sender.key == ADELE


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_notice_of_absence_is_known_as_one_with_the_day_of_return(program: Program) -> None:
    for chance in range(8):
        rng = random.Random(chance)
        subject, text = wording.absence(rng, LETTER.subject, "Adèle Abadie", date(2026, 3, 16))
        mail = _read(mail_programs.notice(Writer("Adèle Abadie", ADELE, program), LETTER, subject, text, NOW, rng))
        assert mail.automatic is not None
        assert (mail.automatic.kind, mail.automatic.returns_on) == ("out_of_office", date(2026, 3, 16))


@pytest.mark.parametrize(("kind", "expected"), [("gone", "hard"), ("full", "soft")])
def test_a_report_of_each_server_names_the_mail_the_recipient_and_the_cause(kind: str, expected: str) -> None:
    told = set()
    for chance in range(40):
        mail = _read(reports.report(LETTER, "gone" if kind == "gone" else "full", NOW, random.Random(chance)))
        assert mail.report is not None
        [recipient] = mail.report.recipients
        assert (recipient.address, recipient.bounce_class) == (ADELE, expected)
        assert mail.report.message_ids == (LETTER.rfc_id,)
        told.add(mail.mail.subject)
    assert len(told) == 3


def test_the_button_of_a_mail_program_sends_what_list_unsubscribe_asks_for() -> None:
    letter = opened(_received())
    raw = mail_programs.request_to_stop(
        Writer("Adèle", ADELE, "gmail"), letter, letter.stop_mail, NOW, random.Random(1)
    )
    assert _read(raw).mail.subject == "unsubscribe token"


def test_a_mail_of_a_campaign_names_its_ways_out_and_one_written_by_hand_none() -> None:
    assert cover_of(_received()).is_campaign
    assert not cover_of(_received(by_hand=True)).is_campaign
    letter = opened(_received())
    assert letter.stop_link == "http://127.0.0.1:8000/u/token"
    assert (letter.who, letter.to_name, letter.text) == ("Léa", "Adèle Abadie", "Bonjour,\n\nQui s’en occupe ?")


def test_people_do_what_people_do_about_as_often() -> None:
    people = [Person(7, f"p{number}@firm.example") for number in range(6_000)]
    kinds = Counter(person.reaction(1, NOW).kind for person in people)
    shares = {kind: n / len(people) for kind, n in kinds.items()}
    assert shares["reply"] == pytest.approx(0.06, abs=0.012)
    assert shares["away"] == pytest.approx(0.04, abs=0.01)
    assert shares["gone"] == pytest.approx(GONE_SHARE, abs=0.006)
    assert shares["full"] == pytest.approx(0.01, abs=0.005)
    assert shares["stop_link"] + shares["stop_mail"] == pytest.approx(0.01, abs=0.005)


def test_a_person_decides_the_same_whenever_asked_and_each_mail_anew() -> None:
    assert Person(7, ADELE).reaction(2, NOW) == Person(7, ADELE).reaction(2, NOW)
    decisions = {Person(7, f"p{n}@firm.example").reaction(nth, NOW) for n in range(40) for nth in (1, 2)}
    assert len(decisions) > 1


def test_most_answer_in_working_hours_and_nobody_before_reading() -> None:
    friday = datetime(2026, 3, 6, 17, 40, tzinfo=PARIS)
    moments = [read_and_answered(friday, random.Random(chance), median=timedelta(minutes=100)) for chance in range(400)]
    working = [at for at in moments if at.weekday() < 5 and 8 <= at.hour < 19]
    assert len(working) > 0.9 * len(moments)
    assert min(moments) > friday + timedelta(minutes=3)


@pytest.fixture
def office() -> DemoPostOffice:
    """A post office with two accounts."""
    made = DemoPostOffice()
    for email in (ACCOUNT, "paul@nova-conseil.example"):
        made.set_password(email, "secret")
    return made


@pytest.fixture
def give(office: DemoPostOffice, monkeypatch: pytest.MonkeyPatch) -> Callable[[ReceivedMail], None]:
    """Put a mail into the post office as if it had come over SMTP."""
    mails: list[ReceivedMail] = []
    monkeypatch.setattr(
        office.sandbox, "since", lambda number, limit=1000: tuple(m for m in mails if m.number > number)
    )
    return mails.append


def _expecting(office: DemoPostOffice, reaction: Reaction, *, talkative: bool = False) -> Recipients:
    recipients = Recipients(office, seed=7)
    recipients.expect([ADELE], [ACCOUNT], reaction, talkative=talkative)
    return recipients


def test_nothing_happens_before_its_time_and_everything_once(
    office: DemoPostOffice, give: Callable[[ReceivedMail], None]
) -> None:
    at = NOW + timedelta(hours=3)
    recipients = _expecting(office, Reaction("reply", at, "price"))
    give(_received())
    recipients.look()
    assert recipients.next_at() == at
    assert recipients.due(at - timedelta(seconds=1)) == []
    [deed] = recipients.due(at)
    assert isinstance(deed, Posting)
    assert deed.account == ACCOUNT
    assert recipients.due(at + timedelta(days=30)) == []
    assert recipients.topic_of(ADELE) == "price"


def test_who_has_answered_does_not_react_to_the_rest_of_the_sequence(
    office: DemoPostOffice, give: Callable[[ReceivedMail], None]
) -> None:
    recipients = _expecting(office, Reaction("reply", NOW + timedelta(minutes=5), "not_interested"))
    for number in range(1, 60):
        give(_received(number, at=NOW + timedelta(days=number)))
    recipients.look()
    assert len(recipients.due(NOW + timedelta(days=400))) == 1


def test_a_conversation_goes_on_until_nothing_is_left_to_say(
    office: DemoPostOffice, give: Callable[[ReceivedMail], None]
) -> None:
    recipients = _expecting(office, Reaction("reply", NOW + timedelta(minutes=5), "interested"), talkative=True)
    give(_received())
    for number in range(2, 10):
        give(_received(number, by_hand=True, at=NOW + timedelta(days=number)))
    recipients.look()
    deeds = recipients.due(NOW + timedelta(days=60))
    assert len(deeds) == 1 + wording.LONGEST_TALK


def test_nobody_answers_a_mail_by_hand_without_having_written_before(
    office: DemoPostOffice, give: Callable[[ReceivedMail], None]
) -> None:
    recipients = Recipients(office, seed=7)
    for number in range(1, 40):
        give(_received(number, recipient=f"p{number}@firm.example", by_hand=True))
    recipients.look()
    assert recipients.due(NOW + timedelta(days=60)) == []


def test_a_full_mailbox_sends_one_back_and_takes_it_the_second_time(
    office: DemoPostOffice, give: Callable[[ReceivedMail], None]
) -> None:
    recipients = _expecting(office, Reaction("full", NOW + timedelta(minutes=5)))
    first = _received()
    give(first)
    give(ReceivedMail(2, NOW + timedelta(hours=1), first.username, first.sender, first.recipient, first.raw))
    recipients.look()
    [deed] = recipients.due(NOW + timedelta(days=2))
    assert isinstance(deed, Posting)
    report = _read(deed.raw).report
    assert report is not None
    assert report.recipients[0].bounce_class == "soft"


def test_an_absence_is_told_once_a_week_and_over_on_the_day_of_return(
    office: DemoPostOffice, give: Callable[[ReceivedMail], None]
) -> None:
    recipients = _expecting(office, Reaction("away", NOW, away_for=11))
    for number, days in enumerate((0, 2, 8), start=1):
        give(_received(number, at=NOW + timedelta(days=days)))
    recipients.look()
    told = [deed for deed in recipients.due(NOW + timedelta(days=10)) if isinstance(deed, Posting)]
    assert [deed.at.date() for deed in told] == [NOW.date(), (NOW + timedelta(days=8)).date()]
    returns = {mail.automatic.returns_on for mail in map(_read, (deed.raw for deed in told)) if mail.automatic}
    # The 13th day of March 2026 is a Friday.
    assert returns == {date(2026, 3, 13)}


def test_the_link_and_the_mail_of_list_unsubscribe_are_both_used(
    office: DemoPostOffice, give: Callable[[ReceivedMail], None]
) -> None:
    recipients = _expecting(office, Reaction("stop_link", NOW + timedelta(minutes=5)))
    recipients.expect([ADELE.replace("adele", "alice")], [ACCOUNT], Reaction("stop_mail", NOW + timedelta(minutes=6)))
    give(_received())
    give(_received(2, recipient=ADELE.replace("adele", "alice")))
    recipients.look()
    visit, posting = recipients.due(NOW + timedelta(hours=1))
    assert isinstance(visit, Visit)
    [ask] = visit.asks
    assert (ask.method, ask.link) == ("POST", "http://127.0.0.1:8000/u/token")
    assert isinstance(posting, Posting)
    assert _read(posting.raw).mail.subject == "unsubscribe token"


def test_a_visit_that_found_nobody_is_made_again_later(
    office: DemoPostOffice, give: Callable[[ReceivedMail], None]
) -> None:
    recipients = _expecting(office, Reaction("stop_link", NOW + timedelta(minutes=5)))
    give(_received())
    recipients.look()
    [visit] = recipients.due(NOW + timedelta(minutes=5))
    recipients.put_off(visit, NOW + timedelta(minutes=25))
    assert recipients.due(NOW + timedelta(minutes=24)) == []
    assert len(recipients.due(NOW + timedelta(minutes=25))) == 1


def test_what_accounts_write_to_each_other_lands_in_their_mailboxes_and_nobody_reacts(
    office: DemoPostOffice, give: Callable[[ReceivedMail], None]
) -> None:
    recipients = Recipients(office, seed=7)
    give(_received(recipient="paul@nova-conseil.example"))
    give(_received(2, recipient="camille.rostand@nova-conseil.example"))
    recipients.look()
    [deed] = recipients.due(NOW + timedelta(days=1))
    assert isinstance(deed, Posting)
    assert deed.account == "paul@nova-conseil.example"


def test_the_mailbox_of_an_account_opens_with_the_password_of_its_server_alone(seeded: Seeded, tmp_path: Path) -> None:
    settings = load_settings(_env_file=None, data_dir=tmp_path)
    open_account = opener(settings, seeded.db, KeyRing(KEY), seeded.sample.office)
    mailbox = open_account(seeded.sample.accounts["camille"])
    assert mailbox is not None
    assert mailbox.state("INBOX").uidnext > 1
    mailbox.close()
    # Its password was changed at the server, without telling the product.
    with pytest.raises(MailboxFailure) as failure:
        open_account(seeded.sample.accounts["equipe"])
    assert failure.value.code == "auth_failed"


@pytest.mark.parametrize(("password", "passes"), [("secret", True), ("another", False)])
async def test_the_test_of_a_connection_tells_whether_the_mailbox_would_open(
    office: DemoPostOffice, password: str, passes: bool
) -> None:
    async with office.open():
        settings = ImapSettings(HOST, office.imap_port, "none", ACCOUNT, password, allow_private=True)
        session = ImapSession(settings)
        await session.connect(await session.resolve())
        await session.greet()
        if passes:
            await session.login()
        else:
            with pytest.raises(SendFailure) as refused:
                await session.login()
            assert refused.value.error_code == "auth_failed"
        await session.close()
