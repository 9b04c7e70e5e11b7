"""One line of a contact's history as the card shows it: a mail and what came of it, a change of stage, a note."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fluenzr_app.campaigns.history import HistoryLine
from fluenzr_app.contacts.notes import NOTED
from fluenzr_app.contacts.stages import STAGE_CHANGED
from fluenzr_app.db.ids import public_id

# Events that somebody, or an automation, made by hand: the line says who.
_DONE_BY = frozenset({NOTED, STAGE_CHANGED})
_FOLLOWED = frozenset({"email.opened", "email.clicked", "email.link_clicked"})
_LINK_LETTERS = 300


@dataclass(frozen=True)
class HistoryRow:
    """One line of the history; `detail` is a server's words, `note` a person's.

    `link` is the address that was followed, `rule` the code of what an opening or a click was known by.

    `who` is person (called `name`), former (no longer in the workspace), program, enrolled or answered; empty where
    it goes without saying. A stage is told by kind and name, both empty for none.
    """

    kind: str
    at: str
    subject: str
    campaign: str
    campaign_id: str
    machine: bool
    detail: str
    note: str
    who: str
    name: str
    from_kind: str
    from_name: str
    to_kind: str
    to_name: str
    link: str = ""
    rule: str = ""


def authors(lines: Iterable[HistoryLine]) -> set[int]:
    """Return the ids of the users who wrote or moved something in these lines."""
    return {line.data["by"] for line in lines if line.type in _DONE_BY and line.data.get("by")}


def history_row(line: HistoryLine, names: Mapping[int, str]) -> HistoryRow:
    """Return a line as the card shows it; `names` are those of the users who are still in the workspace."""
    noted, followed = line.type == NOTED, line.type in _FOLLOWED
    text = str(line.data.get("text", ""))
    return HistoryRow(
        line.type,
        line.at.isoformat(),
        line.subject,
        line.campaign,
        public_id("cmp", line.campaign_id) if line.campaign_id else "",
        line.machine,
        "" if noted else text[:200],
        text if noted else str(line.data.get("note", "")),
        _who(line, names),
        names.get(line.data.get("by", 0), ""),
        *_stage(line.data.get("from")),
        *_stage(line.data.get("to")),
        link=str(line.data.get("link", ""))[:_LINK_LETTERS] if followed and not line.machine else "",
        rule=str(line.data.get("rule", "")) if followed else "",
    )


def _who(line: HistoryLine, names: Mapping[int, str]) -> str:
    if line.type not in _DONE_BY:
        return ""
    if line.data.get("automation"):
        return str(line.data["automation"])
    by = line.data.get("by")
    if by is None:
        return "program"
    return "person" if by in names else "former"


def _stage(told: Any) -> tuple[str, str]:
    return (str(told["kind"]), str(told["name"])) if isinstance(told, dict) else ("", "")
