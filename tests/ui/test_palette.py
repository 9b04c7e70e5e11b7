"""What the palette finds: things of one's own workspace by their name, a few of each kind, and nothing for others."""

from typing import Any

import pytest
from reflex.state import State

from fluenzr_app.campaigns.service import create_campaign
from fluenzr_app.ui import palette
from fluenzr_app.ui.guard import SignedOut
from fluenzr_app.ui.runtime import Runtime
from tests.inbox.seed import InboxSeed, Mail
from tests.people import People, make_account, make_contact
from tests.ui.test_guard import carry, sign_in, tab

__all__ = ["sign_in", "tab"]

# Pages are written in Reflex's own dialect, which no checker knows.
PaletteState: Any = palette.PaletteState


@pytest.fixture
def stock(installed: Runtime, people: People) -> None:
    """Seven contacts, two campaigns, an account and a conversation of the owner that “zéphyr” names."""
    now = installed.clock.now()
    with installed.database.transaction() as session:
        workspace = people.workspace_id
        for number in range(7):
            address = f"zephyr{number}@brise.example"
            make_contact(session, installed.keyring, workspace, address, now, first_name=f"Zéphyr {number}")
        account = make_account(session, workspace, "zephyr@rivage.example", now)
        for season in ("printemps", "automne"):
            create_campaign(session, workspace, f"Zéphyr {season}", now, account_ids=[account])
        seed = InboxSeed(session, installed.keyring, workspace, now).prepare()
        seed.conversation("Zéphyr Martin", [Mail("Bonjour, parlons-en.")])


async def ask(tab: State, text: str) -> list[Any]:
    """Ask as the browser would and give what is found."""
    state = await tab.get_state(PaletteState)
    await PaletteState.ask.fn(state, text)
    assert state.found_for == text[:100].strip()
    found: list[Any] = state.found
    return found


@pytest.mark.usefixtures("stock")
async def test_each_kind_is_found_by_its_name_and_only_a_few_of_it(tab: State, sign_in: Any, people: People):
    carry(tab, sign_in(people.owner))
    found = await ask(tab, "zéphyr")
    assert {one.kind for one in found} == {"contact", "campaign", "conversation"}
    assert sum(one.kind == "contact" for one in found) == 5
    assert {one.label for one in found if one.kind == "campaign"} == {"Zéphyr printemps", "Zéphyr automne"}
    assert all(one.href.startswith(("/contacts?open=con_", "/campaigns/cmp_", "/inbox/cnv_")) for one in found)
    (account,) = [one for one in await ask(tab, "zephyr@riv") if one.kind == "account"]
    assert account.href == "/accounts?q=zephyr%40rivage.example"


@pytest.mark.usefixtures("stock")
async def test_another_workspace_finds_nothing_and_nobody_is_not_heard(tab: State, sign_in: Any, people: People):
    carry(tab, sign_in(people.stranger))
    assert await ask(tab, "zéphyr") == []
    carry(tab)
    with pytest.raises(SignedOut):
        await ask(tab, "zéphyr")


@pytest.mark.usefixtures("stock")
@pytest.mark.parametrize("text", ["", " ", "z", "z" * 100_000, "%", "_%", "\\", "'; --", "…"])
async def test_odd_questions_find_nothing_and_break_nothing(tab: State, sign_in: Any, people: People, text: str):
    carry(tab, sign_in(people.owner))
    assert await ask(tab, text) == []
