"""What the list of email accounts holds, and the acts of its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import reflex as rx
from sqlmodel import Session, col, select

from fluenzr_app.accounts import service
from fluenzr_app.accounts.errors import AccountsError
from fluenzr_app.accounts.limits import explain_limit
from fluenzr_app.accounts.models import AccountDay, EmailAccount
from fluenzr_app.accounts.words import words_for
from fluenzr_app.db.ids import BadPublicId, parse_public_id, public_id
from fluenzr_app.diagnosis.facts import waiting_messages
from fluenzr_app.inbox.reading import ReadingView, readings
from fluenzr_app.mail.presets import preset_of_host
from fluenzr_app.sending.caps import usages
from fluenzr_app.ui.failures import in_words
from fluenzr_app.ui.guard import acting
from fluenzr_app.ui.language import words
from fluenzr_app.ui.pages.accounts_query import AccountsQuery, read_query
from fluenzr_app.ui.pages.accounts_reading import Reading, reading_of
from fluenzr_app.words.catalogue import Lang, french


@dataclass(frozen=True)
class AccountLine:
    """A row of the list. `status` is a code of `STATUSES`; moments are ISO, empty where there is none."""

    id: str
    email: str
    display_name: str
    provider: str
    status: str
    until: str
    used: int
    limit: int
    stands: bool
    ramp: str
    ramp_week: int
    ramp_next: int
    ramp_next_at: str
    next_at: str
    slots_left: int
    spread: bool
    has_error: bool
    error_what: str
    error_mend: str
    error_words: str
    error_since: str
    act: str
    waiting: int
    reading: Reading
    unread: bool


@dataclass(frozen=True)
class _Shown:
    lines: list[AccountLine]
    everybody: int
    sent: int
    possible: int
    errors: int


class AccountsState(rx.State):
    """The accounts of the workspace, as the address asks for them."""

    rows: list[AccountLine] = []
    total: int = 0
    sent: int = 0
    possible: int = 0
    errors: int = 0
    sort: str = "email"
    search: str = ""
    drawer: str = ""
    failure: str = ""
    loaded: bool = False

    @rx.event
    async def load(self) -> None:
        """Show what the address asks for."""
        me = await acting(self)
        asked = self._asked()
        shown = await me.read(_ask, me.workspace_id, asked, me.now, me.lang)
        self.rows, self.total, self.errors = shown.lines, shown.everybody, shown.errors
        self.sent, self.possible = shown.sent, shown.possible
        self.sort, self.search, self.drawer = asked.sort, asked.q, asked.drawer
        self.loaded = True

    @rx.event
    async def refresh(self) -> None:
        """Bring the figures of the list up to date; what is open stays as it is."""
        me = await acting(self)
        shown = await me.read(_ask, me.workspace_id, self._asked(), me.now, me.lang)
        self.rows, self.total, self.errors = shown.lines, shown.everybody, shown.errors
        self.sent, self.possible = shown.sent, shown.possible

    @rx.event
    async def look_for(self, text: str) -> Any:
        """Search the addresses."""
        await acting(self)
        return rx.redirect(replace(self._asked(), q=text[:200].strip()).address(), replace=True)

    @rx.event
    async def sort_by(self, column: str) -> Any:
        """Sort by a column, the other way round if it is sorted by it already."""
        await acting(self)
        asked = self._asked()
        return rx.redirect(replace(asked, sort=f"-{column}" if asked.sort == column else column).address())

    @rx.event
    async def open_drawer(self, drawer: str, account: str) -> Any:
        """Open one of the page's drawers."""
        await acting(self)
        asked = read_query({**vars(self._asked()), "open": drawer, "account": account})
        return rx.redirect(replace(self._asked(), drawer=asked.drawer, account=asked.account).address())

    @rx.event
    async def close(self) -> Any:
        """Close the drawer that is open."""
        await acting(self)
        return rx.redirect(replace(self._asked(), drawer="", account="").address())

    @rx.event
    async def pause(self, account: str) -> Any:
        """Let nothing leave an account until somebody resumes it."""
        return await self._act(service.pause, account, "accounts.paused_now")

    @rx.event
    async def resume(self, account: str) -> Any:
        """Send from an account again."""
        return await self._act(service.resume, account, "accounts.resumed_now")

    async def _act(self, act: Any, account: str, told: str) -> Any:
        me = await acting(self, admin=True)
        try:
            key = parse_public_id("acc", account)
            changed = await me.write(act, me.workspace_id, key, me.now, actor=me.identity)
        except BadPublicId:
            return rx.toast.error(words(me.lang, "accounts.errors.unknown_account"))
        except AccountsError as error:
            return rx.toast.error(in_words(me.lang, error, "accounts.errors"))
        return [rx.toast.success(words(me.lang, told, email=changed.email)), AccountsState.refresh]

    def _asked(self) -> AccountsQuery:
        return read_query(dict(self.router.url.query_parameters))


def provider_of(account: EmailAccount) -> str:
    """Return the name of the host behind an account, the server's own name where it is none that is known."""
    preset = preset_of_host(account.smtp_host)
    return f"SMTP · {preset.name if preset is not None else account.smtp_host}"


def status_of(account: EmailAccount, now: datetime) -> str:
    """Return the state of an account as a code of the page's badges."""
    if account.status == "paused":
        return "paused_quota" if account.pause_reason == "quota" else "paused"
    if account.status == "connected" and account.backoff_until is not None and account.backoff_until > now:
        return "backing_off"
    return account.status


def iso(moment: datetime | None) -> str:
    """Return a moment as the components take it, empty for none."""
    return "" if moment is None else moment.isoformat()


def day_of(session: Session, account_id: int, now: datetime) -> AccountDay | None:
    """Return the account's plan of the opening that is under way at `now`, None where none was rolled."""
    return days_of(session, [account_id], now).get(account_id)


def days_of(session: Session, account_ids: Sequence[int], now: datetime) -> dict[int, AccountDay]:
    """Return `day_of` of several accounts by id; those without a plan are left out."""
    today = now.astimezone(UTC).date()
    near: Sequence[date] = [today - timedelta(days=1), today, today + timedelta(days=1)]
    days = session.exec(
        select(AccountDay)
        .where(col(AccountDay.account_id).in_(account_ids), col(AccountDay.day).in_(near))
        .order_by(col(AccountDay.day).desc())
    ).all()
    return {day.account_id: day for day in days if day.opens_at <= now < day.closes_at}


def _ask(session: Session, workspace_id: int, asked: AccountsQuery, now: datetime, lang: Lang) -> _Shown:
    accounts = service.list_accounts(session, workspace_id)
    waiting = waiting_messages(session, workspace_id, now)
    read = {view.account_id: view for view in readings(session, workspace_id)}
    ids = [account.id or 0 for account in accounts]
    used, days = usages(session, ids, now), days_of(session, ids, now)
    lines = [
        _line(account, used[key].day, days.get(key), waiting.get(key, 0), read.get(key), now, lang)
        for key, account in zip(ids, accounts, strict=True)
    ]
    wanted = asked.q.casefold()
    shown = [line for line in lines if wanted in line.email.casefold() or wanted in line.provider.casefold()]
    keys = {"email": lambda line: line.email, "status": lambda line: line.status, "used": lambda line: line.used}
    shown.sort(key=keys[asked.sort.removeprefix("-")], reverse=asked.sort.startswith("-"))
    sent = sum(line.used for line in lines)
    return _Shown(
        shown,
        len(lines),
        sent,
        # As on the dashboard: nothing can leave from an account that stands, but what has left was possible.
        max(sent, sum(line.limit for line in lines if not line.stands)),
        sum(line.has_error for line in lines),
    )


def _line(
    account: EmailAccount,
    used: int,
    day: AccountDay | None,
    waiting: int,
    view: ReadingView | None,
    now: datetime,
    lang: Lang,
) -> AccountLine:
    limit = explain_limit(account, now)
    planned = day.slots if day is not None and account.status == "connected" else []
    coming = [slot for slot in planned if slot > now.timestamp()]
    error = words_for(account.error_code)
    in_error = account.status == "error"
    tidy = french if lang == "fr" else str
    reading = reading_of(view, lang)
    # One password that is refused at both doors is told once.
    same = in_error and view is not None and view.error_code == account.error_code
    return AccountLine(
        id=public_id("acc", account.id or 0),
        email=account.email,
        display_name=account.display_name,
        provider=provider_of(account),
        status=status_of(account, now),
        until=iso(account.paused_until if account.status == "paused" else account.backoff_until),
        used=used,
        limit=limit.limit,
        stands=account.status != "connected",
        ramp=_ramp(account, limit.week, limit.next_at),
        ramp_week=limit.week or 0,
        ramp_next=limit.next_limit or 0,
        ramp_next_at=iso(limit.next_at),
        next_at=iso(datetime.fromtimestamp(coming[0], UTC)) if coming else "",
        slots_left=len(coming),
        spread=account.min_gap_seconds > 0,
        has_error=in_error,
        error_what=tidy(error.what(lang)) if in_error else "",
        error_mend=tidy(error.mend(lang)) if in_error else "",
        error_words=account.error_message if in_error else "",
        error_since=iso(account.error_since) if in_error else "",
        act=error.act if in_error else "",
        waiting=waiting,
        reading=reading,
        unread=reading.state in ("failing", "none") and not same,
    )


def _ramp(account: EmailAccount, week: int | None, next_at: datetime | None) -> str:
    """Return where the account stands on its ramp: off, waiting (before the first send), climbing or done."""
    if not account.ramp_enabled:
        return "off"
    if week is None:
        return "done"
    return "climbing" if next_at is not None else "waiting"
