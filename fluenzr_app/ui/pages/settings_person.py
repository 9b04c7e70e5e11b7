"""One's own account: name, language, password, and the browsers that are signed in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import reflex as rx

from fluenzr_app.db.ids import BadPublicId, parse_public_id, public_id
from fluenzr_app.ui.browsers import browser_name
from fluenzr_app.ui.components.buttons import button
from fluenzr_app.ui.components.forms import choice, field, form, grid, password_input, text_input
from fluenzr_app.ui.components.frame import block, row, skeleton_rows
from fluenzr_app.ui.components.status import badge
from fluenzr_app.ui.components.table import Column, data_table, mark_tile, two_lines
from fluenzr_app.ui.components.values import icon, when
from fluenzr_app.ui.failures import in_words
from fluenzr_app.ui.guard import acting, zone
from fluenzr_app.ui.kept import kept, kept_is_saved
from fluenzr_app.ui.language import LANG, t, words
from fluenzr_app.ui.shell import ShellState
from fluenzr_app.words.formats import time_of_day
from fluenzr_app.workspaces import service as workspaces
from fluenzr_app.workspaces.errors import PasswordRefused, SignInRefused, Throttled, WorkspacesError

_EYE = rx._x.client_state("settings_eye", default=False)
CHANGE_FORM = "change-password"


@dataclass(frozen=True)
class SessionLine:
    """A browser that is signed in; `name` may be empty for one that did not say what it is."""

    id: str
    name: str
    phone: bool
    created_at: str
    seen_at: str
    here: bool


class PersonState(rx.State):
    """The signed-in person, as the page shows them."""

    first_name: str = ""
    last_name: str = ""
    email: str = ""
    language: str = "fr"
    version: int = 0
    name_error: str = ""
    password_errors: dict[str, str] = {}
    sessions: list[SessionLine] = []
    loaded: bool = False

    @rx.event
    async def load(self) -> None:
        """Show who is signed in, and where else."""
        me = await acting(self)
        user = await me.read(workspaces.get_user, me.identity.user_id)
        before = (self.first_name, self.last_name, self.language)
        self.first_name, self.last_name, self.email = user.first_name, user.last_name, user.email
        self.language, self.name_error, self.password_errors = user.language, "", {}
        # Fields are made anew only for other values: what is typed meanwhile stays.
        self.version += before != (self.first_name, self.last_name, self.language)
        rows = await me.read(workspaces.list_sessions, me.identity.user_id, me.runtime.wall_now())
        # Browsers sign in by the clock on the wall; the page counts from the hour that a demonstration plays.
        apart = me.now - me.runtime.wall_now()
        self.sessions = [
            SessionLine(
                public_id("ses", each.session_id),
                browser_name(each.browser),
                bool(re.search("iPhone|Android|Mobile", each.browser)),
                (each.created_at + apart).isoformat(),
                (each.seen_at + apart).isoformat(),
                each.session_id == me.identity.session_id,
            )
            for each in rows
        ]
        self.loaded = True

    @rx.event
    async def save_name(self, given: dict[str, Any]) -> Any:
        """Store what the person is called, and the language they read."""
        me = await acting(self)
        self.name_error = ""
        language = "en" if given.get("language") == "en" else "fr"

        def store(session: Any) -> None:
            workspaces.set_name(
                session, me.identity.user_id, str(given.get("first_name") or ""), str(given.get("last_name") or "")
            )
            workspaces.set_language(session, me.identity.user_id, language)

        try:
            await me.write(store)
        except WorkspacesError as error:
            self.name_error = in_words(me.lang, error, "settings.errors")
            return None
        # The fields show this already; whoever goes on in them must not find them made anew.
        user = await me.read(workspaces.get_user, me.identity.user_id)
        self.first_name, self.last_name, self.language = user.first_name, user.last_name, user.language
        return [
            rx.toast.success(words(language, "settings.person.saved")),
            kept_is_saved("settings.person"),
            LANG.push(language),
            rx.call_script(f"window.fz.setLang({language!r})"),
            ShellState.enter,
        ]

    @rx.event
    async def change_password(self, given: dict[str, Any]) -> Any:
        """Change the password and end the person's other sessions."""
        me = await acting(self)
        self.password_errors = {}
        try:
            await me.runtime.database.run(
                workspaces.change_password,
                me.runtime.database,
                me.runtime.keyring,
                me.identity,
                current=str(given.get("current") or ""),
                new=str(given.get("new") or ""),
                now=me.runtime.wall_now(),
            )
        except SignInRefused:
            self.password_errors = {"current": words(me.lang, "settings.errors.wrong_password")}
            return None
        except Throttled as error:
            workspace = await me.read(workspaces.get_workspace, me.workspace_id)
            until = time_of_day(me.lang, error.until, zone(workspace.timezone))
            too_many = words(me.lang, "sign_in.throttled"), words(me.lang, "sign_in.throttled_words", time=until)
            self.password_errors = {"current": " ".join(too_many)}
            return None
        except PasswordRefused as error:
            self.password_errors = {"new": in_words(me.lang, error, "settings.errors")}
            return None
        return [
            rx.toast.success(words(me.lang, "settings.person.password_changed")),
            rx.call_script(f"document.getElementById({CHANGE_FORM!r}).reset()"),
            PersonState.load,
        ]

    @rx.event
    async def end_session(self, session_id: str) -> Any:
        """Sign one of the person's browsers out."""
        me = await acting(self)
        try:
            key = parse_public_id("ses", session_id)
        except BadPublicId:
            return None
        await me.write(workspaces.revoke_session, me.identity.user_id, key, me.now)
        return [rx.toast.success(words(me.lang, "settings.person.session_ended")), PersonState.load]

    @rx.event
    async def end_others(self) -> Any:
        """Sign every browser of the person out but this one."""
        me = await acting(self)
        await me.write(workspaces.sign_out_everywhere, me.identity.user_id, me.now, but=me.identity.session_id)
        return [rx.toast.success(words(me.lang, "settings.person.others_ended")), PersonState.load]


def section() -> rx.Component:
    """Return the section."""
    return rx.el.div(_who(), _password(), _sessions(), class_name="fz-stack fzs-narrow")


def _who() -> rx.Component:
    state = PersonState
    version = state.version.to(str)
    fields = form(
        grid(
            field(
                t("settings.person.first_name"),
                text_input(
                    name="first_name",
                    key=version + "f",
                    default_value=state.first_name,
                    max_length=100,
                    auto_complete="given-name",
                ),
                error=state.name_error,
            ),
            field(
                t("settings.person.last_name"),
                text_input(
                    name="last_name",
                    key=version + "l",
                    default_value=state.last_name,
                    max_length=100,
                    auto_complete="family-name",
                ),
            ),
        ),
        grid(
            field(
                t("settings.person.email"),
                text_input(value=state.email, disabled=True, read_only=True),
                help=t("settings.person.email_help"),
            ),
            field(
                t("settings.person.language"),
                choice(
                    [("fr", "Français"), ("en", "English")],
                    name="language",
                    key=version + "g",
                    default_value=state.language,
                ),
                help=t("settings.person.language_help"),
            ),
        ),
        row(button(t("common.save"), kind="solid", submit=True), kept("settings.person")),
        on_submit=state.save_name,
    )
    return block(rx.cond(state.loaded, fields, skeleton_rows(3)), title=t("settings.person.title"))


def _password() -> rx.Component:
    errors = PersonState.password_errors
    eye = {"visible": _EYE.value, "on_toggle": _EYE.set_value(~_EYE.value)}
    return block(
        form(
            grid(
                field(
                    t("settings.person.current_password"),
                    password_input("current", auto_complete="current-password", **eye),
                    error=errors.get("current", ""),
                ),
                field(
                    t("settings.person.new_password"),
                    password_input("new", auto_complete="new-password", **eye),
                    help=t("settings.person.new_password_help"),
                    error=errors.get("new", ""),
                ),
            ),
            row(
                button(t("settings.person.change_password"), submit=True),
                rx.el.span(t("settings.person.change_password_words"), class_name="fz-second"),
            ),
            id=CHANGE_FORM,
            on_submit=PersonState.change_password,
        ),
        title=t("settings.person.password"),
    )


def _sessions() -> rx.Component:
    state = PersonState
    columns = [
        Column(t("settings.person.browser"), _browser),
        Column(t("settings.person.seen"), lambda line: when(line.seen_at, ShellState.zone), hide_on_phone=True),
        Column("", _end, right=True),
    ]
    return block(
        data_table(columns, state.sessions, loaded=state.loaded, key=lambda line: line.id, empty=rx.fragment()),
        title=t("settings.person.sessions"),
        aside=rx.cond(
            state.sessions.length() > 1,
            button(t("settings.person.end_others"), size="small", on_click=state.end_others),
        ),
        padded=False,
    )


def _browser(line: rx.Var[SessionLine]) -> rx.Component:
    name = rx.cond(line.name != "", line.name, t("settings.person.unknown_browser"))
    since = rx.fragment(t("settings.person.since"), " ", when(line.created_at, ShellState.zone))
    return two_lines(name, since, mark_tile(rx.cond(line.phone, icon("smartphone"), icon("monitor"))))


def _end(line: rx.Var[SessionLine]) -> rx.Component:
    return rx.cond(
        line.here,
        badge(t("settings.person.here"), "good", "circle-check"),
        button(t("settings.person.end"), size="small", on_click=PersonState.end_session(line.id)),
    )
