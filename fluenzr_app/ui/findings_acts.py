"""What a page does itself about findings: one act on all the things of an entry, and how it is taken back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from fluenzr_app.accounts import service as accounts
from fluenzr_app.campaigns import audience, bounced
from fluenzr_app.diagnosis.facts import findings_of
from fluenzr_app.diagnosis.findings import Finding
from fluenzr_app.diagnosis.snoozes import Snoozed, parted
from fluenzr_app.ui.findings import key_of
from fluenzr_app.workspaces import service as workspaces
from fluenzr_app.workspaces.service import Identity


@dataclass(frozen=True)
class Done:
    """What an act did: how many things it changed, and these, where it can be taken back."""

    act: str = ""
    n: int = 0
    ids: tuple[int, ...] = ()


def named(
    session: Session, workspace_id: int, keys: Collection[str], now: datetime, wall: datetime | None
) -> list[Finding]:
    """Return the findings of the workspace that `keys` name and that still stand."""
    wanted = set(keys)
    return [each for each in findings_of(session, workspace_id, now, wall) if key_of(each) in wanted]


def shown_and_aside(
    session: Session, workspace_id: int, now: datetime, wall: datetime | None
) -> tuple[list[Finding], list[Snoozed], str]:
    """Return the findings to show, those put aside, and the zone of the workspace."""
    shown, aside = parted(session, workspace_id, findings_of(session, workspace_id, now, wall), now)
    return shown, aside, workspaces.get_workspace(session, workspace_id).timezone


def do(
    session: Session, identity: Identity, act: str, keys: Collection[str], now: datetime, wall: datetime | None
) -> Done:
    """Do one act about the findings that `keys` name and that ask for it; `n` is 0 where nothing was left to do.

    Raises NotAllowed, AccountsError, CampaignsError.
    """
    found = [each for each in named(session, identity.workspace_id, keys, now, wall) if act in each.remedies]
    subjects = [each.subject.id for each in found if each.subject.id is not None]
    if act == "resume":
        workspaces.require_admin(identity)
        for account in subjects:
            accounts.resume(session, identity.workspace_id, account, now, actor=identity)
        return Done(act, len(subjects), tuple(subjects))
    if act == "archive_bounced":
        gone = bounced.archive_bounced(
            session, identity.workspace_id, _bounced(session, identity.workspace_id, found, now), now
        )
        return Done(act, len(gone), gone)
    if act == "try_again":
        n = sum(audience.try_again(session, identity.workspace_id, campaign, now) for campaign in subjects)
        return Done(act, n)
    return Done()


def undo(session: Session, identity: Identity, done: Done, now: datetime) -> int:
    """Put back what an act changed, as it was; return how many things. Raises NotAllowed, AccountsError."""
    if done.act == "resume":
        workspaces.require_admin(identity)
        for account in done.ids:
            accounts.pause(session, identity.workspace_id, account, now, actor=identity)
        return len(done.ids)
    if done.act == "archive_bounced":
        return bounced.put_back(session, identity.workspace_id, done.ids, now)
    return 0


def _bounced(session: Session, workspace_id: int, found: Sequence[Finding], now: datetime) -> list[int]:
    ids: list[int] = []
    for each in found:
        if each.subject.kind == "campaign" and each.subject.id is not None:
            ids += bounced.bounced_in(session, workspace_id, each.subject.id)
        else:
            ids += [contact.contact_id for contact in bounced.recently_bounced(session, workspace_id, now)]
    return ids
