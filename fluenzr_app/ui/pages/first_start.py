"""The first start: whoever has the link from the terminal becomes the owner of this installation."""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import reflex as rx
from reflex.experimental.client_state import ClientStateVar
from sqlalchemy import text
from sqlmodel import Session

from fluenzr_app.contacts.stages import make_stages
from fluenzr_app.db.engine import Database
from fluenzr_app.mail.addresses import check_syntax
from fluenzr_app.mail.errors import BadAddress
from fluenzr_app.ui import guard
from fluenzr_app.ui.components.buttons import button
from fluenzr_app.ui.components.forms import field, form, grid, password_input, text_input
from fluenzr_app.ui.components.frame import empty_state
from fluenzr_app.ui.components.values import icon
from fluenzr_app.ui.failures import in_words
from fluenzr_app.ui.kept import kept, kept_is_saved
from fluenzr_app.ui.language import LANG, t
from fluenzr_app.ui.pages.sign_in import to_ticket
from fluenzr_app.ui.runtime import Runtime, current
from fluenzr_app.ui.shell import language_switch, logo
from fluenzr_app.words.catalogue import Lang
from fluenzr_app.workspaces import service as workspaces
from fluenzr_app.workspaces.errors import (
    BadUserAddress,
    EmailTaken,
    NameMissing,
    PasswordRefused,
    SetupRefused,
    TicketRefused,
    WorkspacesError,
)

EYE = ClientStateVar.create("first_start_eye", default=False)
STRENGTH = ClientStateVar.create("first_start_strength", default=0)
_PLACE = "first-start"
_LOCAL_HOSTS = ("http://localhost", "http://127.", "http://[::1]")


@dataclass(frozen=True)
class _Owner:
    """What the form says about the person and the workspace."""

    first_name: str
    last_name: str
    email: str
    password: str
    workspace: str
    lang: Lang


class FirstStartState(rx.State):
    """Whether the link is good, what this server found out about itself, and what was wrong in the form."""

    opened: bool = False
    valid: bool = False
    errors: dict[str, str] = {}
    database: str = ""
    write_ms: int = 0
    public_url: str = ""
    is_local: bool = False

    @rx.event
    async def open(self) -> None:
        """Look the link up and, if it is good, measure what the page shows beside the form."""
        runtime = current()
        self.valid = await runtime.database.run(_is_valid, runtime.database, self._token(), runtime.wall_now())
        self.errors = {}
        if self.valid:
            self.database = runtime.database.dialect
            self.write_ms = await runtime.database.run(_write_ms, runtime.database)
            self.public_url = runtime.settings.public_url
            self.is_local = self.public_url.startswith(_LOCAL_HOSTS)
        self.opened = True

    @rx.event
    async def submit(self, fields: dict[str, Any]) -> Any:
        """Make the owner and the workspace, then sign them in; on refusal say at the field what is wrong."""
        owner = _owner(fields)
        runtime = current()
        try:
            ticket = await runtime.database.run(_redeem, runtime, self._token(), owner, guard.nonce(self))
        except SetupRefused:
            self.valid = False
        except WorkspacesError as error:
            refused = {_field_of(each): each for each in (*_refusals(owner), error)}
            self.errors = {name: in_words(owner.lang, each, "first_start") for name, each in refused.items()}
        else:
            return [kept_is_saved(_PLACE), to_ticket(ticket, "/accounts")]
        return None

    def _token(self) -> str:
        return str(self.router.url.query_parameters.get("token", ""))


def _owner(fields: dict[str, Any]) -> _Owner:
    def text_of(name: str) -> str:
        return str(fields.get(name, ""))

    return _Owner(
        first_name=text_of("first_name").strip(),
        last_name=text_of("last_name").strip(),
        email=text_of("email").strip(),
        password=text_of("password"),
        workspace=text_of("workspace").strip(),
        lang="en" if text_of("lang") == "en" else "fr",
    )


def _refusals(owner: _Owner) -> list[WorkspacesError]:
    """Return what is wrong with address and password, for making the owner ends with the first fault."""
    found: list[WorkspacesError] = []
    try:
        check_syntax(owner.email)
    except BadAddress as error:
        found.append(BadUserAddress(str(error), field="email", fault=error.code))
    try:
        workspaces.check_password(owner.password, email=owner.email)
    except PasswordRefused as error:
        found.append(error)
    return found


def _field_of(error: WorkspacesError) -> str:
    if isinstance(error, BadUserAddress | EmailTaken):
        return "email"
    if isinstance(error, PasswordRefused):
        return "password"
    if isinstance(error, NameMissing):
        return "workspace"
    return "form"


def _redeem(runtime: Runtime, token: str, owner: _Owner, nonce: str) -> str:
    now = runtime.wall_now()
    if not nonce:
        raise TicketRefused
    with runtime.database.transaction() as session:
        identity = workspaces.redeem_setup(
            session,
            runtime.keyring,
            token=token,
            email=owner.email,
            password=owner.password,
            first_name=owner.first_name,
            last_name=owner.last_name,
            workspace_name=owner.workspace,
            language=owner.lang,
            now=now,
        )
        make_stages(session, identity.workspace_id, now)
        return workspaces.issue_ticket(
            session, user_id=identity.user_id, workspace_id=identity.workspace_id, nonce=nonce, now=now
        )


def _is_valid(database: Database, token: str, now: datetime) -> bool:
    with database.read() as session:
        return workspaces.setup_link_valid(session, token, now)


def _write_ms(database: Database) -> int:
    """Return how long an empty writing transaction takes, in milliseconds, at least 1."""
    started = time.perf_counter()
    with database.transaction() as session:
        _touch_nothing(session)
    return max(1, round((time.perf_counter() - started) * 1000))


def _touch_nothing(session: Session) -> None:
    session.connection().execute(text("UPDATE setup_link SET used_at = used_at WHERE 1 = 0"))


def page() -> rx.Component:
    """Return the form beside what the server knows about itself; or that the link is not good."""
    return rx.el.main(
        rx.el.div(logo(28), language_switch(), class_name="fz-start-head"),
        rx.cond(
            FirstStartState.opened,
            rx.cond(
                FirstStartState.valid,
                rx.el.div(_form(), _server(), class_name="fz-start-body"),
                empty_state(
                    "link-2-off",
                    t("first_start.link_used"),
                    t("first_start.link_used_words"),
                    button(t("sign_in.act"), href="/sign-in"),
                    found_nothing=True,
                    alone=True,
                ),
            ),
        ),
        class_name="fz-start",
    )


def _form() -> rx.Component:
    errors = FirstStartState.errors
    typed = rx.Var("(e) => window.fz.strength(e.target.value)", _var_type=object)
    return form(
        rx.el.h1(t("first_start.title"), class_name="fz-welcome"),
        rx.el.p(t("first_start.words"), class_name="fz-lead"),
        rx.cond(errors.contains("form"), rx.el.p(errors["form"], class_name="fz-error", role="alert")),
        rx.el.input(type="hidden", name="lang", value=LANG.value),
        grid(
            field(
                t("first_start.first_name"), text_input(name="first_name", auto_complete="given-name", auto_focus=True)
            ),
            field(t("first_start.last_name"), text_input(name="last_name", auto_complete="family-name")),
        ),
        field(
            t("first_start.email"),
            text_input(name="email", type="email", auto_complete="username"),
            help=t("first_start.email_help"),
            error=errors.get("email", ""),
        ),
        field(
            t("first_start.password"),
            rx.el.span(
                password_input(
                    visible=EYE.value,
                    on_toggle=EYE.set_value(~EYE.value),
                    auto_complete="new-password",
                    custom_attrs={"onInput": _strength_setter(typed)},
                ),
                _strength(),
            ),
            help=rx.fragment(
                rx.cond(STRENGTH.value >= 3, rx.el.strong(t("first_start.solid"), " ", class_name="fz-good")),
                t("first_start.password_help"),
            ),
            error=errors.get("password", ""),
        ),
        field(
            t("first_start.workspace"),
            text_input(name="workspace", auto_complete="organization"),
            help=t("first_start.workspace_help"),
            error=errors.get("workspace", ""),
        ),
        rx.el.div(
            button(
                t("first_start.act"),
                kind="solid",
                size="large",
                icon_name="arrow-right",
                submit=True,
                class_name="fz-icon-last",
            ),
            rx.el.span(t("first_start.or_command"), " ", rx.el.code("fluenzr user add"), class_name="fz-second"),
            class_name="fz-row",
        ),
        kept(_PLACE, person=_PLACE),
        on_submit=FirstStartState.submit,
    )


def _strength_setter(strength: rx.Var[Any]) -> rx.Var[Any]:
    setter = STRENGTH.set
    return rx.Var(f"(e) => ({setter!s})(({strength!s})(e))", _var_data=setter._get_all_var_data())


def _strength() -> rx.Component:
    level = STRENGTH.value
    return rx.el.span(
        *[rx.el.span(data_on=level > step) for step in range(4)], class_name="fz-strength", data_level=level
    )


def _server() -> rx.Component:
    return rx.el.section(
        rx.el.div(
            rx.el.h2(t("first_start.server"), class_name="fz-block-title"),
            rx.el.span(t("first_start.checked_now"), class_name="fz-since"),
            class_name="fz-check-head",
        ),
        _check(
            True,
            t("first_start.database"),
            rx.cond(
                FirstStartState.database == "sqlite",
                t("first_start.sqlite", ms=FirstStartState.write_ms),
                t("first_start.postgresql", ms=FirstStartState.write_ms),
            ),
        ),
        _check(True, t("first_start.key"), t("first_start.key_words")),
        rx.cond(
            FirstStartState.is_local,
            _check(False, t("first_start.address"), t("first_start.address_local", url=FirstStartState.public_url)),
            _check(True, t("first_start.address"), FirstStartState.public_url),
        ),
        class_name="fz-block fz-server",
    )


def _check(good: bool, what: Any, words: Any) -> rx.Component:
    mark = icon("circle-check", class_name="fz-good") if good else icon("triangle-alert", class_name="fz-attention")
    return rx.el.div(
        mark,
        rx.el.div(rx.el.div(what, class_name="fz-what"), rx.el.div(words, class_name="fz-second")),
        class_name="fz-check-row",
    )
