"""What the pages of an import hold; the address says which import and which step (contacts.md, CSV import)."""

from __future__ import annotations

import json
from math import ceil
from typing import Any

import reflex as rx

from fluenzr_app.contacts import imports, labels
from fluenzr_app.contacts.custom_values import FieldDefinition
from fluenzr_app.contacts.errors import ContactsError, ImportNotFound, ImportNotReady
from fluenzr_app.contacts.import_options import ImportOptions
from fluenzr_app.contacts.import_views import ImportView
from fluenzr_app.db.ids import BadPublicId, parse_public_id, public_id
from fluenzr_app.ui.failures import in_words
from fluenzr_app.ui.guard import Acting, acting
from fluenzr_app.ui.kept import kept_is_saved
from fluenzr_app.ui.language import words
from fluenzr_app.ui.pages import contacts_import_store as store
from fluenzr_app.ui.pages import contacts_import_view as shown
from fluenzr_app.ui.pages.contacts_import_view import ColumnRow, Count, Fault, Outcome, OwnTarget, PastImport
from fluenzr_app.ui.pages.contacts_list import GroupChoice
from fluenzr_app.ui.pages.contacts_words import field_at_fault, told
from fluenzr_app.words.catalogue import Lang, catalogue

ROUTE = "/contacts/import"
STEPS = ("file", "mapping", "options", "preview", "run")
_CHECKED_AT_ONCE = 4 << 20
"""Bytes up to which the outcome is worked out while the columns are still being chosen."""


class ContactImportState(rx.State):
    """One import at one step, and the list of those before it."""

    id: str = ""
    step: str = "file"
    status: str = ""
    loaded: bool = False
    missing: bool = False
    file_name: str = ""
    rows: int = 0
    most_bytes: int = 0
    most_megabytes: int = 0
    failure: str = ""
    failure_words: str = ""
    past: list[PastImport] = []

    encoding: str = ""
    encoding_found: str = ""
    delimiter: str = ""
    header_line: int = 1
    broken_cells: int = 0
    repair: bool = False
    columns: list[ColumnRow] = []
    own: list[OwnTarget] = []
    has_email: bool = False
    errors: dict[str, str] = {}

    groups: list[GroupChoice] = []
    known_tags: list[str] = []
    group: str = ""
    group_name: str = ""
    tags: str = ""
    on_duplicate: str = "skip"
    consent: str = "not_specified"
    consent_notes: str = ""
    no_consent: bool = False

    checking: bool = False
    has_outcome: bool = False
    outcome: Outcome = Outcome()
    faults: list[Fault] = []
    warnings: list[Count] = []
    certified: bool = False
    starting: bool = False

    done: int = 0
    total: int = 0
    imported: int = 0
    updated: int = 0
    duplicates: int = 0
    skipped: int = 0
    suppressed: int = 0
    error_rows: int = 0
    rate: int = 0
    seconds_left: int = 0
    minutes_left: int = 0
    stopped: str = ""
    started_at: str = ""
    finished_at: str = ""
    asking: str = ""

    _file_bytes: int = 0

    @rx.event
    async def load(self) -> Any:
        """Show the import and the step that the address names; the file step without one."""
        me = await acting(self)
        parameters = dict(self.router.url.query_parameters)
        wanted, step = str(parameters.get("id", "")), str(parameters.get("step", ""))
        if wanted != self.id:
            self._forget()
        self.failure = self.failure_words = ""
        self.most_bytes = me.runtime.settings.upload_max_bytes
        self.most_megabytes = self.most_bytes >> 20
        if not wanted:
            self.id, self.step, self.file_name = "", "file", ""
            self.past = [shown.past(view) for view in await me.read(imports.list_imports, me.workspace_id, most=20)]
            self.loaded = True
            return None
        try:
            found = await me.read(store.read, me.workspace_id, parse_public_id("imp", wanted))
        except (ContactsError, BadPublicId):
            self.missing = self.loaded = True
            return None
        self.id, self.missing = wanted, False
        self._show(me, *found)
        open_steps = ("mapping", "options", "preview")
        if self.status not in ("draft", "ready"):
            self.step = "run"
        else:
            self.step = step if step in open_steps and self.has_email else "mapping"
        self.loaded = True
        return self._check_soon()

    @rx.event
    async def stored(self, public: str) -> Any:
        """Go on with the file that came in."""
        await acting(self)
        return rx.redirect(_address(public, "mapping"))

    @rx.event
    async def refused(self, code: str, details: str) -> None:
        """Say why a file was not taken, and what to do now."""
        me = await acting(self)
        self._fail(me.lang, code[:40], _details(details))

    @rx.event(background=True)
    async def reread(self, name: str, value: str) -> Any:
        """Read the file again with another encoding, delimiter or line of names."""
        async with self:
            me = await acting(self)
            how: dict[str, Any] = {
                "encoding": self.encoding,
                "delimiter": self.delimiter,
                "header_line": self.header_line,
            }
            if name not in how or self.checking:
                return
            self.checking, self.failure, self.failure_words = True, "", ""
            how[name] = int(value) if name == "header_line" and value.isdigit() else value
            if name == "encoding":
                # Other letters may mean other separators and another first line.
                how |= {"delimiter": None, "header_line": None}
            key = self.id
        found, error = None, None
        try:
            found = await me.runtime.database.run(store.reread, me, parse_public_id("imp", key), how)
        except (ContactsError, BadPublicId) as refused:
            error = refused
        finally:
            async with self:
                self.checking = False
                if found is not None and self.id == key:
                    self._show(me, *found)
                elif error is not None:
                    self._refuse(me.lang, error)
        if found is not None:
            yield ContactImportState.check

    @rx.event
    async def map_column(self, index: int, value: str) -> Any:
        """Let a column become what was chosen for it."""
        me = await acting(self)
        action, target = shown.parse_choice(value)
        return await self._store(me, imports.set_column, int(index), action, target)

    @rx.event
    async def mend_accents(self, mend: bool) -> Any:
        """Repair damaged accents, or leave them as they are."""
        me = await acting(self)
        return await self._store(me, store.set_repair, bool(mend))

    @rx.event
    async def go_to(self, step: str) -> Any:
        """Go to another step; forward only from columns that hold together."""
        await acting(self)
        if step not in STEPS:
            return None
        if step == "file":
            return rx.redirect(ROUTE)
        return rx.redirect(_address(self.id, step))

    @rx.event
    async def choose_consent(self, source: str) -> None:
        """Show what a source of consent needs."""
        await acting(self)
        self.consent = source[:40]

    @rx.event
    async def choose_duplicates(self, choice: str) -> None:
        """Skip contacts that exist already, or update them."""
        await acting(self)
        self.on_duplicate = "update" if choice == "update" else "skip"

    @rx.event
    async def choose_group(self, group: str) -> None:
        """Choose the group, or ask for the name of a new one."""
        await acting(self)
        self.group = group[:40]

    @rx.event
    async def keep_options(self, given: dict[str, Any]) -> Any:
        """Keep the options and go on to the preview."""
        me = await acting(self)
        group = str(given.get("group", ""))
        try:
            options = ImportOptions(
                str(given.get("consent_source") or "not_specified"),
                str(given.get("consent_notes", "")),
                "update" if self.on_duplicate == "update" else "skip",
                parse_public_id("grp", group) if group not in ("", "new") else None,
                str(given.get("group_name", "")) if group == "new" else "",
                tuple(tag for tag in str(given.get("tags", "")).split(",") if tag.strip()),
            )
        except BadPublicId:
            self.errors = {"group": words(me.lang, "contacts.errors.group_not_found")}
            return None
        refused = await self._store(me, store.set_choices, options)
        if self.errors or self.failure:
            return refused
        return [kept_is_saved(f"import.{self.id}"), rx.redirect(_address(self.id, "preview"))]

    @rx.event(background=True)
    async def check(self) -> Any:
        """Check every row and say what the import would do."""
        async with self:
            me = await acting(self)
            if self.checking or self.has_outcome or self.status not in ("draft", "ready") or not self.has_email:
                return
            self.checking, key = True, self.id
        found, error = None, None
        try:
            found = await me.runtime.database.run(store.preview, me, parse_public_id("imp", key))
        except (ContactsError, BadPublicId) as refused:
            error = refused
        finally:
            async with self:
                self.checking = False
                if found is not None and self.id == key:
                    self._show(me, *found)
        if getattr(error, "code", "") == "changed_meanwhile":
            # A column was chosen anew while the rows were read: they are read again.
            yield ContactImportState.check
        elif error is not None:
            async with self:
                self._refuse(me.lang, error)

    @rx.event
    async def certify(self, certified: bool) -> None:
        """Take the word that these people agreed to be written to."""
        await acting(self)
        self.certified = bool(certified)

    @rx.event
    async def start(self) -> Any:
        """Set the import running."""
        me = await acting(self)
        self.starting = True
        yield
        try:
            await me.write(store.start, me, parse_public_id("imp", self.id), self.certified)
        except (ContactsError, BadPublicId) as error:
            self._refuse(me.lang, error)
        else:
            yield rx.redirect(_address(self.id, "run"))
        finally:
            self.starting = False

    @rx.event
    async def refresh(self) -> None:
        """Show how far the import is."""
        me = await acting(self)
        if self.id:
            self._show(me, *await me.read(store.read, me.workspace_id, parse_public_id("imp", self.id)))

    @rx.event
    async def ask(self, act: str) -> None:
        """Ask before an act on the import; "" closes the question."""
        await acting(self)
        self.asking = act[:20]

    @rx.event
    async def cancel(self) -> Any:
        """Stop the import, or give a draft up; what is stored stays."""
        me = await acting(self)
        self.asking = ""
        was_draft = self.status in ("draft", "ready")
        await self._store(me, imports.cancel, me.now)
        return rx.redirect(ROUTE) if was_draft else None

    @rx.event
    async def resume(self) -> Any:
        """Let a failed import go on where it stopped."""
        me = await acting(self)
        await self._store(me, imports.resume)

    @rx.event
    async def take_back(self) -> Any:
        """Archive what this import created."""
        me = await acting(self)
        self.asking = ""
        archived = await me.write(store.take_back, me, parse_public_id("imp", self.id))
        return rx.toast.success(words(me.lang, "contacts_import.taken_back", n=archived))

    async def _store(self, me: Acting, change: Any, *arguments: Any) -> Any:
        self.failure = self.failure_words = ""
        try:
            found = await me.write(store.change, me.workspace_id, parse_public_id("imp", self.id), change, *arguments)
        except ImportNotFound:
            self.missing = True
            return None
        except (ContactsError, BadPublicId) as error:
            at_fault = field_at_fault(error)
            if at_fault in ("consent_source", "consent_notes", "name", "tags"):
                self.errors = {"group_name" if at_fault == "name" else at_fault: told(me.lang, error)}
            else:
                self._refuse(me.lang, error)
            return None
        self.errors = {}
        self._show(me, *found)
        return self._check_soon()

    def _check_soon(self) -> Any:
        wanted = self.status == "draft" and self.has_email and not self.checking
        if wanted and (self.step == "preview" or self._file_bytes <= _CHECKED_AT_ONCE):
            return ContactImportState.check
        return None

    def _refuse(self, lang: Lang, error: Exception) -> None:
        self._fail(lang, str(getattr(error, "code", "")), getattr(error, "details", {}), str(error))

    def _fail(self, lang: Lang, code: str, details: dict[str, Any], otherwise: str = "") -> None:
        key = f"contacts_import.errors.{code}"
        if f"{key}.title" in catalogue():
            limit = details.get("limit")
            places = {"limit": int(limit) >> 20 if isinstance(limit, int) and limit > 1 << 20 else limit or 0}
            places |= {name: str(details.get(name, "")) for name in ("line", "example", "target")}
            self.failure = words(lang, f"{key}.title", **places)
            self.failure_words = words(lang, f"{key}.words", **places)
            return
        self.failure = words(lang, "contacts_import.errors.other")
        error = ImportNotReady(code, otherwise, **details)
        self.failure_words = in_words(lang, error, "contacts.errors")

    def _forget(self) -> None:
        self.loaded = self.checking = self.has_outcome = self.certified = self.starting = self.missing = False
        self.columns, self.errors, self.asking, self.status = [], {}, "", ""

    def _show(
        self,
        me: Acting,
        view: ImportView,
        definitions: tuple[FieldDefinition, ...],
        groups: tuple[labels.GroupLine, ...],
        tags: tuple[labels.TagLine, ...],
    ) -> None:
        found, options = view.inspection, view.options
        self.status, self.file_name, self.rows = view.status, view.file_name, found.rows
        self._file_bytes = view.file_bytes
        self.encoding, self.delimiter, self.header_line = found.encoding, found.delimiter, found.header_line
        self.encoding_found = "" if found.encoding_how == "chosen" else "found" if found.encoding_certain else "guessed"
        self.broken_cells, self.repair = found.broken_cells, options.repair
        self.columns = shown.column_rows(view)
        self.own = shown.own_targets(definitions)
        self.has_email = any(guess.action == "field" and guess.target == "email" for guess in view.mapping)
        self.groups = [GroupChoice(public_id("grp", group.id), group.name, group.contacts) for group in groups]
        self.known_tags = [tag.name for tag in tags[:200]]
        self.group = public_id("grp", options.group_id) if options.group_id else "new" if options.group_name else ""
        self.group_name, self.tags = options.group_name, ", ".join(options.tags)
        self.on_duplicate, self.consent = options.on_duplicate, options.consent_source
        self.consent_notes, self.no_consent = options.consent_notes, view.warns_about_consent
        self.has_outcome, self.outcome = view.preview is not None, shown.outcome(view)
        self.faults, self.warnings = shown.faults(view, me.lang), shown.warnings(view, me.lang)
        self.done, self.total = view.rows_done, view.rows_total
        self.imported, self.updated, self.duplicates = view.imported, view.updated, view.duplicates
        self.skipped, self.suppressed, self.error_rows = view.skipped, view.suppressed, view.errors
        left = view.seconds_left(me.now) or 0.0
        self.rate, self.seconds_left, self.minutes_left = round(view.rate(me.now) or 0), ceil(left), ceil(left / 60)
        self.stopped = _why(me.lang, view.failure)
        self.started_at = view.started_at.isoformat() if view.started_at else ""
        self.finished_at = view.finished_at.isoformat() if view.finished_at else ""


def _address(public: str, step: str) -> str:
    return f"{ROUTE}?id={public}&step={step}"


def _why(lang: Lang, code: str) -> str:
    """Return why an import stopped; of a code without words of its own, that the server's log says more."""
    key = f"contacts_import.why.{code}"
    return words(lang, key if key in catalogue() else "contacts_import.why.unexpected") if code else ""


def _details(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text[:5_000])
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
