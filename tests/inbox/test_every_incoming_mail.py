"""Each mail of the table, in an account's mailbox: what it is taken for, and what comes of it for its sender."""

from datetime import UTC, datetime
from typing import Any

import pytest

from fluenzr_app.mail.incoming import parse
from tests.engine_world import ON_SQLITE, TWO_MAILS
from tests.inbox.world import InboxWorld
from tests.mail.incoming_mails import Context
from tests.mail.incoming_table import CASES, Case

# What becomes of the walk, of the contact, and whether the next mail leaves.
EFFECTS: dict[str, tuple[str, str, bool]] = {
    "stops": ("replied", "replied", False),
    # A day later, when nobody has said that it was no request to stop.
    "asks": ("replied", "unsubscribed", False),
    "continues": ("completed", "active", True),
    "nothing": ("completed", "active", True),
    "suppresses": ("unsubscribed", "unsubscribed", False),
    "hard_bounce": ("bounced", "bounced", False),
    # Tried again, and then the sequence went on.
    "soft_bounce": ("completed", "active", True),
}


@ON_SQLITE
@pytest.mark.timeout(240)
async def test_every_mail_of_the_table_has_its_effect_and_no_other(inbox: InboxWorld) -> None:
    inbox.clock.set(datetime(2026, 11, 24, 9, 0, tzinfo=UTC))
    account, people = inbox.account("ada"), inbox.people(len(CASES), prefix="zoe", domain="acme{}.example")
    inbox.execute("UPDATE contact SET first_name = 'Zoé', last_name = 'Martin'")
    inbox.campaign([account], people, TWO_MAILS)
    await inbox.tick()
    for number, case in enumerate(CASES):
        inbox.deliver(account, _raw(inbox, number, case))
        if case.effect == "soft_bounce":
            inbox.returned.add(inbox.office.mails_to(_address(number))[0].rfc_id)
    inbox.read()
    kinds = {row.contact_id: row for row in inbox.rows("SELECT contact_id, kind, text, returns_on FROM inbound")}
    asked = {row[0] for row in inbox.rows("SELECT contact_id FROM conversation WHERE stop_asked_at IS NOT NULL")}
    await inbox.run_for(hours=20)
    told: list[str] = []
    for number, case in enumerate(CASES):
        stored = kinds.get(people[number])
        found = None if stored is None else stored.kind
        wanted = None if case.expected == "unrelated" else case.expected
        # A mail to unsubscribe names nobody in the table of mails: its token does.
        if wanted != "unsubscribe" and found != wanted:
            told.append(f"{case.name}: taken for {found}, is {wanted}")
        if (people[number] in asked) != (case.effect == "asks"):
            told.append(f"{case.name}: {'asks' if people[number] in asked else 'does not ask'} to stop")
        returns_on = None if stored is None else stored.returns_on
        if case.returns_on is not None and str(returns_on) != str(case.returns_on):
            told.append(f"{case.name}: back on {returns_on}, is {case.returns_on}")
    assert told == []
    await inbox.run_for(days=4)
    effects = {row.contact_id: row for row in inbox.rows(
        "SELECT e.contact_id, e.status, c.status AS contact FROM enrollment e JOIN contact c ON c.id = e.contact_id"
    )}  # fmt: skip
    for number, case in enumerate(CASES):
        row = effects[people[number]]
        mails = {each.rfc_id for each in inbox.office.mails_to(_address(number))}
        if (row.status, row.contact, len(mails) == 2) != EFFECTS[case.effect]:
            told.append(f"{case.name}: {row.status}, {row.contact}, {len(mails)} mails; {case.effect} was expected")
    assert told == []
    inbox.check_books()


def _address(number: int) -> str:
    return f"zoe{number}@acme{number}.example"


def _raw(inbox: InboxWorld, number: int, case: Case) -> bytes:
    taken: Any = inbox.office.mails_to(_address(number))[0]
    ours = parse(taken.raw)
    header = "".join(str(taken.mail["List-Unsubscribe"]).split())
    context = Context(
        rfc_id=taken.rfc_id,
        our_address="ada@rivage.example",
        contact_address=_address(number),
        subject=ours.subject,
        text=ours.text,
        html=ours.html,
        unsubscribe_subject=header.partition("?subject=")[2].rstrip(">").replace("%20", " "),
    )
    # Mails of different people have different ids.
    return case.raw(context).replace(b"@acme.example>", f"@acme{number}.example>".encode(), 1)
