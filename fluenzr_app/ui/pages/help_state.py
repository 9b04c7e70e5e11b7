"""What the help page holds: the symptoms with what is seen of each, one that is open, or an article of the guide."""

from __future__ import annotations

import importlib.metadata
import platform
import unicodedata
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import reflex as rx
from sqlmodel import Session

from fluenzr_app.diagnosis.facts import findings_of
from fluenzr_app.diagnosis.findings import Finding
from fluenzr_app.diagnosis.symptoms import SYMPTOMS
from fluenzr_app.ui.articles import FILES, article, symptoms_told
from fluenzr_app.ui.findings_state import FindingsState
from fluenzr_app.ui.guard import Acting, acting
from fluenzr_app.ui.language import words
from fluenzr_app.ui.pages.help_watch import GROUPS, Looked, SymptomRow, looked, rows
from fluenzr_app.words.catalogue import Lang

# What an address can hold besides; the route itself takes more.
MOST_DESCRIBED: Final = 1_000
_BY_KEY = {symptom.key: symptom for symptom in SYMPTOMS}
WATCHED = sum(bool(symptom.codes) for symptom in SYMPTOMS)


@dataclass(frozen=True)
class SymptomGroup:
    """The symptoms of one part of the product."""

    key: str
    rows: list[SymptomRow]


class HelpState(rx.State):
    """The list of symptoms; `opened` is the key of one, `article` the name of a page of the guide."""

    loaded: bool = False
    groups: list[SymptomGroup] = []
    shown: int = 0
    search: str = ""
    only_seen: bool = False
    opened: str = ""
    number: int = 0
    article: str = ""
    missing: bool = False
    title: str = ""
    state: str = ""
    html: str = ""
    sign: str = ""
    checks: str = ""
    todo: str = ""
    version: str = ""
    python: str = ""

    @rx.event
    async def load(self) -> None:
        """Show what the address asks for."""
        me = await acting(self)
        asked = self.router.url.path.removeprefix("/help").strip("/")[:60]
        self.opened = asked if asked in _BY_KEY else ""
        self.article = asked if asked in FILES else ""
        self.missing = bool(asked) and not self.opened and not self.article
        self.version, self.python = importlib.metadata.version("fluenzr"), platform.python_version()
        await self._read(me)
        self.loaded = True

    @rx.event
    async def look(self) -> None:
        """Bring what is seen up to date."""
        await self._read(await acting(self))

    @rx.event
    async def look_for(self, text: str) -> None:
        """Search titles and what the guide says of each symptom."""
        me = await acting(self)
        self.search = text[:100]
        await self._read(me)

    @rx.event
    async def choose(self, which: str) -> None:
        """Show all symptoms, or those that are seen."""
        me = await acting(self)
        self.only_seen = which == "seen"
        await self._read(me)

    @rx.event
    async def show_all(self) -> None:
        """Take search and choice away."""
        me = await acting(self)
        self.search, self.only_seen = "", False
        await self._read(me)

    @rx.event
    async def check_again(self) -> Any:
        """Look at everything once more, and say so."""
        me = await acting(self)
        await self._read(me)
        return [FindingsState.look, rx.toast.success(words(me.lang, "help.checked_now"))]

    @rx.event
    async def fetch_support(self, given: dict[str, Any]) -> Any:
        """Fetch the support file with what was written for it; the server asks whether the reader may."""
        await acting(self, admin=True)
        asked = {name: str(given.get(name, ""))[:MOST_DESCRIBED].strip() for name in ("describe", "steps")}
        told = urlencode({name: text for name, text in asked.items() if text})
        return rx.download(url=f"/downloads/support.json{'?' if told else ''}{told}")

    async def _read(self, me: Acting) -> None:
        found, facts = await me.read(_look, me.workspace_id, me.now, me.runtime.wall_now())
        by_group = rows(found, facts, me.lang)
        wanted = _letters(self.search).split()
        kept = {group: [row for row in by_group[group] if self._is_wanted(row, wanted, me.lang)] for group in GROUPS}
        self.groups = [SymptomGroup(group, kept[group]) for group in GROUPS if kept[group]]
        self.shown = sum(len(group.rows) for group in self.groups)
        self._open(me.lang, [row for group in by_group.values() for row in group])

    def _is_wanted(self, row: SymptomRow, wanted: list[str], lang: Lang) -> bool:
        if self.only_seen and row.state != "seen":
            return False
        told = symptoms_told(lang).get(row.number)
        said = [words(lang, f"symptoms.{row.key}.{part}") for part in ("title", "seen", "do")]
        text = _letters(" ".join([*said, told.title, told.text] if told else said))
        return all(word in text for word in wanted)

    def _open(self, lang: Lang, every: list[SymptomRow]) -> None:
        self.title, self.state, self.html, self.number = "", "", "", 0
        if self.opened:
            row = next(row for row in every if row.key == self.opened)
            told = symptoms_told(lang).get(row.number)
            self.title, self.state, self.number = row.title, row.state, row.number
            self.html = told.html if told else ""
            self.sign, self.checks, self.todo = (
                words(lang, f"symptoms.{row.key}.{part}") for part in ("seen", "checks", "do")
            )
        elif self.article:
            read = article(lang, self.article)
            self.title, self.html = (read.title, read.html) if read else ("", "")
            self.missing = read is None


def _look(session: Session, workspace_id: int, now: Any, wall: Any) -> tuple[list[Finding], Looked]:
    return findings_of(session, workspace_id, now, wall), looked(session, workspace_id, now)


def _letters(text: str) -> str:
    """Return a text without accents and in small letters, for finding words in it."""
    plain = unicodedata.normalize("NFKD", text.replace("’", "'"))
    return "".join(each for each in plain if not unicodedata.combining(each)).casefold()
