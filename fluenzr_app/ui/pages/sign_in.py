"""The sign-in: a checked password becomes a ticket, which a route turns into the cookie."""

import json
from typing import Any
from urllib.parse import quote

import reflex as rx
from reflex.experimental.client_state import ClientStateVar

from fluenzr_app.gate import KNOWN_BROWSER_COOKIE, cookie
from fluenzr_app.ui import guard
from fluenzr_app.ui.components.buttons import button
from fluenzr_app.ui.components.forms import field, form, password_input, text_input
from fluenzr_app.ui.components.status import callout
from fluenzr_app.ui.components.values import icon
from fluenzr_app.ui.failures import in_words
from fluenzr_app.ui.language import LANG, t
from fluenzr_app.ui.runtime import Runtime, current
from fluenzr_app.ui.shell import language_switch, logo
from fluenzr_app.words.catalogue import Lang, words
from fluenzr_app.words.formats import time_of_day
from fluenzr_app.workspaces import service as workspaces
from fluenzr_app.workspaces.errors import SignInRefused, Throttled, TicketRefused

EYE = ClientStateVar.create("sign_in_eye", default=False)


class SignInState(rx.State):
    """What went wrong at the last try; the password itself is never kept."""

    refused: str = ""
    refused_words: str = ""
    days: int = 30
    ownerless: bool = False

    @rx.event
    async def open(self) -> Any:
        """Skip the page for somebody who is signed in already, and clear what an earlier try left."""
        lang = guard.reader_language(self, None)
        is_late = "expired" in self.router.url.query_parameters
        self.refused = words(lang, "sign_in.expired") if is_late else ""
        self.refused_words = words(lang, "sign_in.ticket_refused") if is_late else ""
        self.days = current().settings.session_days
        self.ownerless = not await current().database.run(_has_owner, current())
        try:
            await guard.acting(self)
        except guard.SignedOut:
            return None
        return rx.redirect("/")

    @rx.event
    async def submit(self, fields: dict[str, Any]) -> Any:
        """Check address and password; lead a right one through the one-time ticket to the cookie."""
        self.refused = self.refused_words = ""
        lang: Lang = "en" if fields.get("lang") == "en" else "fr"
        try:
            ticket = await _ticket(self, str(fields.get("email", "")), str(fields.get("password", "")))
        except SignInRefused:
            self.refused = words(lang, "sign_in.refused")
            self.refused_words = words(lang, "sign_in.refused_words")
        except Throttled as error:
            zone = guard.zone(str(fields.get("zone", "")))
            self.refused = words(lang, "sign_in.throttled")
            self.refused_words = words(lang, "sign_in.throttled_words", time=time_of_day(lang, error.until, zone))
        except TicketRefused as error:
            self.refused = words(lang, "sign_in.no_cookies")
            self.refused_words = (
                words(lang, "sign_in.no_cookies_words") if not guard.nonce(self) else in_words(lang, error, "sign_in")
            )
        else:
            return to_ticket(ticket, str(self.router.url.query_parameters.get("next", "/")))
        return None


def to_ticket(ticket: str, back: str) -> Any:
    """Return the event that leaves the page for the route that sets the cookie, then goes on to `back`."""
    inside = back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/"
    address = f"/auth/ticket/{ticket}?next={quote(inside, safe='')}"
    return rx.call_script(f"window.location.assign({json.dumps(address)})")


def _has_owner(runtime: Runtime) -> bool:
    with runtime.database.read() as session:
        return workspaces.has_owner(session)


async def _ticket(state: SignInState, email: str, password: str) -> str:
    runtime = current()
    return await runtime.database.run(
        workspaces.sign_in,
        runtime.database,
        runtime.keyring,
        email=email,
        password=password,
        ip=guard.client_ip(state),
        nonce=guard.nonce(state),
        now=runtime.wall_now(),
        known_browser=cookie(guard.cookie_header(state), KNOWN_BROWSER_COOKIE),
    )


def page() -> rx.Component:
    """Return the form on the left and the promise on the right."""
    return rx.el.main(
        rx.el.div(
            logo(28),
            rx.el.div(_form(), class_name="fz-door-form"),
            rx.el.div(rx.el.span("FluenzR"), language_switch(), class_name="fz-door-foot"),
            class_name="fz-door-left",
        ),
        rx.el.div(
            rx.el.h2(t("sign_in.promise"), class_name="fz-welcome"),
            rx.el.p(t("sign_in.promise_words"), class_name="fz-lead"),
            _flow(),
            class_name="fz-door-right",
        ),
        class_name="fz-door",
    )


def _form() -> rx.Component:
    wrong = SignInState.refused != ""
    return form(
        rx.el.h1(rx.cond(SignInState.ownerless, t("sign_in.title_first"), t("sign_in.title")), class_name="fz-welcome"),
        rx.el.p(t("sign_in.words"), class_name="fz-second"),
        rx.cond(
            wrong,
            rx.el.div(
                icon("circle-alert"),
                rx.el.div(
                    rx.el.strong(SignInState.refused), rx.el.div(SignInState.refused_words, class_name="fz-second")
                ),
                class_name="fz-banner fz-callout",
                data_tone="error",
                role="alert",
            ),
        ),
        rx.cond(SignInState.ownerless, callout(t("sign_in.ownerless"), "attention", "key-round")),
        rx.el.input(type="hidden", name="lang", value=LANG.value),
        rx.el.input(
            type="hidden", name="zone", value=rx.Var("Intl.DateTimeFormat().resolvedOptions().timeZone", _var_type=str)
        ),
        field(
            t("sign_in.email"),
            text_input(name="email", type="email", auto_complete="username", required=True, auto_focus=True),
        ),
        field(
            t("sign_in.password"),
            password_input(
                visible=EYE.value,
                on_toggle=EYE.set_value(~EYE.value),
                auto_complete="current-password",
                required=True,
                aria_invalid=wrong,
            ),
            help="",
        ),
        button(t("sign_in.act"), kind="solid", size="large", submit=True, class_name="fz-whole"),
        rx.el.p(t("sign_in.stays", n=SignInState.days), class_name="fz-help"),
        on_submit=SignInState.submit,
    )


def _flow() -> rx.Component:
    """Return the drawing of a flow that forks, as in the logo."""
    lines = [
        _bend(16 + 34 * i, 244 + 4 * i, 264 + 7 * i, 16 + 12 * i, 1 if i == 0 else 0.34 - 0.045 * i) for i in range(7)
    ]
    return rx.el.svg(
        *lines,
        rx.el.path(d="M16 530C16 420 90 327 214 327H434", class_name="fz-flow-line"),
        rx.el.circle(cx="436", cy="327", r="6", class_name="fz-flow-dot"),
        view_box="0 0 640 620",
        preserve_aspect_ratio="xMinYMin slice",
        aria_hidden="true",
        class_name="fz-flow",
    )


def _bend(x: int, start: int, end: int, y: int, opacity: float) -> rx.Component:
    """Return a line that comes up at `x`, bends between `start` and `end`, and goes on to the right at `y`."""
    curve = f"C{x} {y + (start - y) * 0.43:.0f} {x + (end - x) * 0.43:.0f} {y} {end} {y}"
    return rx.el.path(d=f"M{x} 620V{start}{curve}H720", class_name="fz-flow-line", opacity=str(opacity))
