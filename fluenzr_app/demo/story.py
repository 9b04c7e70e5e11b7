"""What happened at Nova Conseil in the five weeks before the demo begins, act by act."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from fluenzr_app.accounts import service as accounts
from fluenzr_app.campaigns import lifecycle
from fluenzr_app.campaigns.audience import add_contacts
from fluenzr_app.campaigns.nodes import Workflow
from fluenzr_app.campaigns.service import create_campaign
from fluenzr_app.contacts import suppression
from fluenzr_app.contacts.service import archive_contacts
from fluenzr_app.demo import mails
from fluenzr_app.demo.desk import Desk
from fluenzr_app.demo.sample import BATCHES, MAILBOXES, Sample
from fluenzr_app.demo.temperament import Reaction

ZONE = ZoneInfo("Europe/Paris")
FIRST_DAY = 38
NEW_PASSWORD = "nouveau mot de passe 2026"  # noqa: S105 - of a mailbox that exists in this process alone


@dataclass(frozen=True, slots=True)
class Act:
    """Something that somebody did at a moment, in a transaction of its own."""

    at: datetime
    do: Callable[[Session, datetime], object]


def monday_of(today: date) -> date:
    """Return the Monday of the week that holds `today`: the demo's first day."""
    return today - timedelta(days=today.weekday())


def moment(monday: date, days_before: int, hour: int, minute: int = 0) -> datetime:
    """Return a time on a day before the first Monday, by the clock of Paris, as aware UTC."""
    day = monday - timedelta(days=days_before)
    return datetime.combine(day, time(hour, minute), ZONE).astimezone(UTC)


def story(sample: Sample, monday: date, password: str) -> Sequence[Act]:
    """Return everything that happened, in order of time; `password` is the owner's."""

    def at(days_before: int, hour: int, minute: int = 0) -> datetime:
        return moment(monday, days_before, hour, minute)

    acts = [Act(at(FIRST_DAY, 8), lambda session, now: sample.found(session, password, now))]
    for mailbox in MAILBOXES:
        acts.append(Act(at(mailbox.day, 8, 10), _bound(sample.connect, mailbox)))
    for batch in BATCHES:
        acts.append(Act(at(batch.day, 8, 20), _bound(sample.bring_in, batch)))
    acts += _campaigns(sample, at)
    acts += _mishaps(sample, at)
    acts += _expectations(sample, at)
    acts += _desk(sample, at)
    return sorted(acts, key=lambda act: act.at)


def _desk(sample: Sample, at: Callable[..., datetime]) -> list[Act]:
    """Return the hours at which somebody works through the inbox, the last time on Friday at noon."""
    desk = Desk(sample)
    acts = [Act(at(30, 9, 30), desk.keep_texts)]
    for day in range(34, 2, -1):
        # The first Monday is day 0: days 1 and 2 of each week are its Sunday and Saturday.
        if day % 7 not in (1, 2):
            acts += [Act(at(day, 11, 40), desk.work_through), Act(at(day, 16, 50), desk.work_through)]
    return acts[:-1]


def _expectations(sample: Sample, at: Callable[..., datetime]) -> list[Act]:
    """Return what the inbox shows in every demonstration, whatever chance adds to it."""

    def expect(batch: str, reaction: Reaction, talkative: bool = False) -> Callable[..., None]:
        # Of accounts that work until the end: what comes for the others nobody sees.
        senders = [f"{key}@nova-conseil.example" for key in ("camille", "julien", "sarah")]
        return lambda session, now: sample.recipients.expect(
            sample.addresses[batch], senders, reaction, talkative=talkative
        )

    return [
        Act(at(35, 8, 35), expect("training", Reaction("reply", at(34, 10, 12), "interested"), talkative=True)),
        Act(at(35, 8, 36), expect("training", Reaction("reply", at(34, 16, 20), "not_interested"))),
        Act(at(34, 13), expect("training", Reaction("reply", at(33, 9, 5), "not_now"))),
        Act(at(33, 13), expect("training", Reaction("reply", at(32, 14, 50), "colleague", colleague_too=True))),
        Act(at(17, 14), expect("pilot", Reaction("reply", at(16, 10, 37), "not_interested"))),
        Act(at(18, 8, 35), expect("pilot", Reaction("reply", at(17, 9, 41), "interested", with_file=True))),
        Act(at(18, 8, 36), expect("pilot", Reaction("reply", at(17, 15, 3), "price"), talkative=True)),
        Act(at(18, 8, 37), expect("pilot", Reaction("stop_mail", at(17, 11, 20)))),
        Act(at(18, 8, 38), expect("pilot", Reaction("stop_link", at(17, 13, 5)))),
        Act(at(18, 8, 39), expect("pilot", Reaction("full", at(18, 9)))),
        Act(at(17, 14, 1), expect("pilot", Reaction("object", at(16, 9, 12)))),
        Act(at(35, 8, 37), expect("training", Reaction("away", at(35, 8, 50), away_for=6))),
        Act(at(18, 8, 40), expect("pilot", Reaction("away", at(18, 8, 52), away_for=9))),
        # Shown on the first morning: somebody to be taken off the list, others who are away for long.
        Act(at(5, 8, 46), expect("workshops", Reaction("reply", at(0, 8, 22), "stop"))),
        Act(at(5, 8, 47), expect("workshops", Reaction("away", at(5, 9), away_for=15))),
        Act(at(4, 13), expect("workshops", Reaction("away", at(4, 16, 51), away_for=12))),
        Act(at(4, 13, 1), expect("workshops", Reaction("reply", at(3, 13, 24), "date"))),
        # In the first minute of the demonstration.
        Act(at(5, 8, 48), expect("workshops", Reaction("reply", at(0, 9, 25), "price"))),
        Act(at(5, 8, 49), expect("workshops", Reaction("reply", at(0, 11, 10), "interested"))),
    ]


def _campaigns(sample: Sample, at: Callable[..., datetime]) -> list[Act]:
    return [
        Act(at(35, 8, 40), _campaign(
            sample, "training", "Formation des chefs d’équipe", mails.workflow_of(mails.TRAINING),
            ["camille"], ["training"], newContactsPerDay=8,
        )),
        Act(at(18, 8, 40), _campaign(
            sample, "pilot", "Diagnostic atelier : pilote", mails.workflow_of(mails.WORKSHOPS),
            ["camille", "julien", "paul"], ["pilot"], newContactsPerDay=12,
        )),
        Act(at(11, 16, 5), lambda session, now: lifecycle.pause(
            session, sample.workspace_id, sample.campaigns["pilot"], now
        )),
        Act(at(5, 8, 45), _campaign(
            sample, "workshops", "Diagnostic atelier : Grand Ouest", mails.workflow_of(mails.WORKSHOPS),
            ["julien", "sarah", "equipe", "paul"], ["workshops"], newContactsPerDay=24,
        )),
        Act(at(3, 16, 45), _campaign(
            sample, "suppliers", "Achats et délais : PME", mails.workflow_of(mails.SUPPLIERS),
            ["camille", "julien", "sarah"], ["suppliers", "training"], maxPerCompanyPerDay=3,
        )),
        Act(at(3, 17, 20), _campaign(
            sample, "fair", "Suite au salon de Lyon", mails.unfinished_workflow(),
            ["lea"], ["fair"], starts=False,
        )),
    ]  # fmt: skip


def _mishaps(sample: Sample, at: Callable[..., datetime]) -> list[Act]:
    def say_no(session: Session, now: datetime) -> None:
        said_no = [*sample.addresses["pilot"][30:33], sample.addresses["training"][38]]
        suppression.add(session, sample.keyring, sample.workspace_id, said_no, "unsubscribe", now)

    def block(session: Session, now: datetime) -> None:
        domain = sample.addresses["fair"][3].partition("@")[2]
        suppression.add(session, sample.keyring, sample.workspace_id, [domain], "manual", now)

    def archive(session: Session, now: datetime) -> None:
        archive_contacts(session, sample.workspace_id, sample.contacts["training"][28:36], now)

    return [
        Act(at(34, 18), _unreachable(sample, "training", gone=[26])),
        Act(at(19, 11), say_no),
        Act(at(18, 18), _unreachable(sample, "pilot", gone=[20])),
        Act(at(8, 15), archive),
        Act(at(5, 8, 30), _unreachable(sample, "workshops", gone=[11, 89], full=[22])),
        Act(at(4, 9, 30), _unreachable(sample, "suppliers", gone=[9, 97], full=[70])),
        Act(at(4, 17, 10), lambda session, now: accounts.pause(
            session, sample.workspace_id, sample.accounts["paul"], now, actor=sample.owner
        )),
        Act(at(3, 9, 5), lambda session, now: sample.change_password("equipe", NEW_PASSWORD)),
        Act(at(3, 17, 15), block),
    ]  # fmt: skip


def _unreachable(
    sample: Sample, batch: str, *, gone: Sequence[int], full: Sequence[int] = ()
) -> Callable[[Session, datetime], None]:
    """Return an act: some people of a batch have left their firm, others never empty their mailbox."""

    def act(_session: Session, _now: datetime) -> None:
        addresses = sample.addresses[batch]
        sample.office.close_mailboxes([addresses[place] for place in gone], [addresses[place] for place in full])

    return act


def _bound(make: Callable[[Session, Any, datetime], None], what: object) -> Callable[[Session, datetime], None]:
    return lambda session, now: make(session, what, now)


def _campaign(
    sample: Sample,
    key: str,
    name: str,
    workflow: Workflow,
    senders: Sequence[str],
    batches: Sequence[str],
    *,
    starts: bool = True,
    **settings: object,
) -> Callable[[Session, datetime], None]:
    def make(session: Session, now: datetime) -> None:
        campaign = create_campaign(
            session, sample.workspace_id, name, now, account_ids=sample.account_ids(senders), settings=settings,
            workflow=workflow, timezone=str(ZONE),
        )  # fmt: skip
        sample.campaigns[key] = campaign.id
        contact_ids = [contact_id for batch in batches for contact_id in sample.contacts[batch]]
        add_contacts(session, sample.workspace_id, campaign.id, contact_ids, now, sample.rng)
        if starts:
            lifecycle.start(session, sample.workspace_id, campaign.id, now)

    return make
