"""What surrounds every page: the menu, the person, language and colours, the banner of a lost connection."""

from dataclasses import dataclass
from typing import Any

import reflex as rx
from reflex.style import set_color_mode
from reflex_base.vars.function import ArgsFunctionOperation
from reflex_components_core.base.error_boundary import ErrorBoundary
from reflex_components_core.core.banner import has_connection_errors
from reflex_components_core.react_router.dom import ReactRouterLink

from fluenzr_app.bundle import served_bundle
from fluenzr_app.gate import SESSION_COOKIE, cookie
from fluenzr_app.inbox.conversations import unread_count
from fluenzr_app.ui.components.buttons import icon_button
from fluenzr_app.ui.components.keys import go_key, key_act
from fluenzr_app.ui.components.poll import poll
from fluenzr_app.ui.components.table import avatar
from fluenzr_app.ui.components.values import (
    ConnectionLost,
    DemoClock,
    PageVersion,
    ServerClock,
    Text,
    icon,
    kbd,
    number,
)
from fluenzr_app.ui.findings_state import FindingsState
from fluenzr_app.ui.guard import acting, cookie_header
from fluenzr_app.ui.language import LANG, t, words
from fluenzr_app.workspaces import service as workspaces


class ShellState(rx.State):
    """Who is signed in, for the frame around the pages; filled at each page's opening, never trusted."""

    name: str = ""
    email: str = ""
    initials: str = ""
    workspace: str = ""
    is_admin: bool = False
    zone: str = "Europe/Paris"
    server_now: str = ""
    clock_rate: float = 1.0
    bundle: str = ""
    unread: int = 0
    # -1: this browser has not been told yet, so that nothing can be new to it.
    _told: int = -1

    @rx.event
    async def enter(self) -> Any:
        """Fill the frame; the reader's stored language wins over this browser's last one."""
        me = await acting(self)
        workspace = await me.read(workspaces.get_workspace, me.workspace_id)
        self.name, self.email = me.identity.name, me.identity.email
        self.initials = "".join(part[0] for part in self.name.split()[:2]).upper() or self.email[:1].upper()
        self.workspace, self.zone, self.is_admin = workspace.name, workspace.timezone, me.is_admin
        self.bundle = served_bundle()
        self.server_now, self.clock_rate = me.now.isoformat(), me.runtime.clock_rate
        self.unread = await me.read(unread_count, me.workspace_id)
        self._told = self.unread
        return [LANG.push(me.identity.language), rx.call_script(f"window.fz.setLang({me.identity.language!r})")]

    @rx.event
    async def look(self) -> Any:
        """Bring the count of unread conversations up to date; say what is new, but not to who looks at the inbox."""
        me = await acting(self)
        self.unread = await me.read(unread_count, me.workspace_id)
        before, self._told = self._told, self.unread
        if before < 0 or self.unread <= before or self.router.url.path.startswith("/inbox"):
            return None
        return rx.toast.info(words(me.lang, "inbox.new_replies", n=self.unread - before))

    @rx.event
    async def choose_language(self, lang: str) -> Any:
        """Keep the language for this person and fill the page again: some of its texts come from the server."""
        me = await acting(self)
        await me.write(workspaces.set_language, me.identity.user_id, lang)
        return rx.state.OnLoadInternalState.on_load_internal

    @rx.event
    async def sign_out(self) -> Any:
        """End this browser's session in the store; the cookie that is left opens nothing any more."""
        me = await acting(self)
        await me.write(workspaces.sign_out, cookie(cookie_header(self), SESSION_COOKIE), me.runtime.wall_now())
        return rx.call_script("window.fz.kept.forget(); window.location.assign('/sign-in')")


@dataclass(frozen=True)
class MenuEntry:
    """One line of the menu; `short` is its word under a phone's tab, "" for what lies behind “more” there."""

    key: str
    icon: str
    href: str
    short: str = ""


MENU = (
    MenuEntry("layout.dashboard", "layout-dashboard", "/", "layout.home"),
    MenuEntry("layout.inbox", "inbox", "/inbox", "layout.inbox_short"),
    MenuEntry("layout.campaigns", "send", "/campaigns", "layout.campaigns"),
    MenuEntry("layout.contacts", "users", "/contacts", "layout.contacts"),
    MenuEntry("layout.accounts", "at-sign", "/accounts"),
    MenuEntry("layout.settings", "settings", "/settings"),
    MenuEntry("layout.help", "circle-help", "/help"),
)
OPEN_PALETTE = rx.call_script("window.fz.palette()")
SHOW_KEYS = rx.call_script("window.fz.showKeys()")
_LOOKS_EVERY_S = 20
# A hairline goes above these: daily work, then what it runs on, then what is set once.
_GROUPS = {"/accounts", "/settings"}


class _NavLink(ReactRouterLink):
    tag = "NavLink"
    alias = "ReactRouterNavLink"
    end: rx.Var[bool]


def shell(content: rx.Component, *beside: rx.Component) -> rx.Component:
    """Return a page inside its frame; `beside` is what every page has besides."""
    return rx.el.div(
        rx.el.a(t("layout.skip"), href="#content", class_name="fz-skip"),
        _sidebar(),
        rx.el.main(_demo_banner(), content, id="content", tab_index=-1, class_name="fz-main"),
        _tab_bar(),
        poll(_LOOKS_EVERY_S, [ShellState.look, FindingsState.look]),
        ServerClock.create(now=ShellState.server_now, rate=ShellState.clock_rate),
        PageVersion.create(bundle=ShellState.bundle),
        old_page_banner(),
        *beside,
        *[go_key(entry.href, t(entry.key)) for entry in MENU],
        key_act("frame-palette", OPEN_PALETTE),
        key_act("frame-keys", SHOW_KEYS),
        class_name="fz-shell",
    )


def logo(size: int = 24, *, word: bool = True) -> rx.Component:
    """Return the mark, with the name beside it."""
    mark = rx.el.svg(
        rx.el.rect(width="32", height="32", rx="8", fill="var(--fz-mark)"),
        rx.el.path(
            d="M10 23.6V15.2C10 11.4 12.4 9.4 16 9.4H22.6M10.2 17.8H17.2",
            stroke="#fff",
            stroke_width="3.2",
            stroke_linecap="round",
            stroke_linejoin="round",
            fill="none",
        ),
        rx.el.circle(cx="21.6", cy="17.8", r="2", fill="#fff"),
        view_box="0 0 32 32",
        width=str(size),
        height=str(size),
        aria_hidden="true",
    )
    name = rx.el.span("Fluenz", rx.el.span("R", class_name="fz-logo-r"), class_name="fz-logo-word")
    return rx.el.span(mark, *([name] if word else []), class_name="fz-logo", aria_label="FluenzR")


def language_switch() -> rx.Component:
    """Return “Français English” for pages without a signed-in person; nothing is asked of the server."""
    return rx.el.div(
        *[
            rx.el.button(
                name,
                type="button",
                lang=lang,
                aria_pressed=LANG.value == lang,
                on_click=[LANG.set_value(lang), rx.call_script(f"window.fz.setLang({lang!r})")],
                class_name="fz-language",
            )
            for lang, name in (("fr", "Français"), ("en", "English"))
        ],
        class_name="fz-row",
    )


def connection_banner() -> rx.Component:
    """Return the banner that says the server cannot be reached; it goes by itself."""
    return rx.cond(
        has_connection_errors,
        ConnectionLost.create(
            icon("wifi-off"),
            rx.el.strong(t("layout.lost")),
            rx.el.span(t("layout.lost_words")),
            _reload(t("common.retry")),
            class_name="fz-lost",
            # An element of its own knows no role; what is not one of its properties would be taken for a style.
            custom_attrs={"role": "alert"},
        ),
    )


def old_page_banner() -> rx.Component:
    """Return the banner that the browser shows when the page loaded itself anew and is still of another version."""
    return rx.el.div(
        icon("refresh-cw"),
        rx.el.strong(t("layout.old_page")),
        rx.el.span(t("layout.old_page_words")),
        _reload(t("layout.reload")),
        class_name="fz-lost fz-old-page",
        role="alert",
    )


def _reload(label: Text) -> rx.Component:
    return rx.el.button(label, type="button", on_click=rx.call_script("window.location.reload()"), class_name="fz-link")


def _demo_banner() -> rx.Component:
    """Return the line that says this is the demonstration and what time it is there; nothing anywhere else."""
    return rx.cond(
        ShellState.clock_rate > 1,
        rx.el.div(
            icon("flask-conical", 14),
            rx.el.strong(t("layout.demo")),
            DemoClock.create(zone=ShellState.zone, reader=LANG.value),
            rx.el.span(t("layout.demo_words", n=ShellState.clock_rate), class_name="fz-demo-words"),
            class_name="fz-demo",
            role="note",
        ),
    )


def error_boundary() -> rx.Component:
    """Return what catches a page whose code failed in the browser and shows our words in its place."""
    instead = ArgsFunctionOperation.create(("event_args",), rx.Var.create(_page_failed()))
    return ErrorBoundary.create(fallback_render=instead)


def _page_failed() -> rx.Component:
    return rx.el.div(
        logo(32),
        rx.el.h1(t("layout.page_failed"), class_name="fz-page-title"),
        rx.el.p(t("layout.page_failed_words"), class_name="fz-second"),
        rx.el.button(
            t("layout.reload"),
            type="button",
            on_click=rx.call_script("window.location.reload()"),
            class_name="fz-button fz-solid fz-size-normal",
        ),
        class_name="fz-alone",
    )


def _nav_link(entry: MenuEntry, label: Text, size: int, css: str) -> rx.Component:
    badges = {"/inbox": _unread_badge, "/help": _help_badge}
    badge = [badges[entry.href]()] if entry.href in badges else []
    return _NavLink.create(
        icon(entry.icon, size),
        rx.el.span(label),
        *badge,
        to=entry.href,
        end=entry.href == "/",
        class_name=css,
        title=label,
    )


def _unread_badge() -> rx.Component:
    return rx.cond(
        ShellState.unread > 0,
        rx.el.b(
            rx.cond(ShellState.unread > 99, "99+", number(ShellState.unread)),
            class_name="fz-unread",
            title=t("layout.unread", n=ShellState.unread),
            aria_label=t("layout.unread", n=ShellState.unread),
        ),
    )


def _help_badge() -> rx.Component:
    """Return how many things are broken or slowed; nothing while none is."""
    pressing = FindingsState.pressing
    return rx.cond(
        pressing > 0,
        rx.el.b(
            rx.cond(pressing > 99, "99+", number(pressing)),
            class_name="fz-unread fz-pressing",
            title=t("layout.pressing", n=pressing),
            aria_label=t("layout.pressing", n=pressing),
        ),
    )


def _sidebar() -> rx.Component:
    links: list[rx.Component] = []
    for entry in MENU:
        if entry.href in _GROUPS:
            links.append(rx.el.hr(class_name="fz-nav-line"))
        links.append(_nav_link(entry, t(entry.key), 16, "fz-nav-item"))
    return rx.el.nav(
        rx.el.div(
            logo(),
            icon_button(
                t("layout.narrow"), "panel-left", size="small", on_click=rx.call_script("window.fz.toggleSidebar()")
            ),
            class_name="fz-nav-head",
        ),
        rx.el.button(
            icon("search", 14),
            rx.el.span(t("palette.short")),
            kbd(rx.Var("(/Mac|iP(hone|ad)/.test(navigator.platform) ? '⌘K' : 'Ctrl K')", _var_type=str)),
            type="button",
            title=t("palette.open"),
            aria_label=t("palette.open"),
            aria_haspopup="dialog",
            on_click=OPEN_PALETTE,
            class_name="fz-nav-search",
        ),
        rx.el.div(*links, class_name="fz-nav-items"),
        _person_menu(),
        aria_label=t("layout.main_menu"),
        class_name="fz-nav",
    )


def _person_menu() -> rx.Component:
    return rx.menu.root(
        rx.menu.trigger(
            rx.el.button(
                avatar(ShellState.initials),
                rx.el.span(
                    rx.el.span(ShellState.name, class_name="fz-person-name"),
                    rx.el.span(ShellState.workspace, class_name="fz-person-workspace"),
                    class_name="fz-person-words",
                ),
                icon("chevrons-up-down", 14),
                type="button",
                aria_label=t("layout.person_menu"),
                class_name="fz-person",
            )
        ),
        rx.menu.content(*_person_items(), size="2", side="top", align="start", class_name="fz-menu"),
        modal=False,
    )


def _person_items() -> list[rx.Component]:
    return [
        rx.el.div(ShellState.email, class_name="fz-menu-label"),
        rx.menu.separator(),
        rx.el.div(t("layout.language"), class_name="fz-menu-label"),
        *[
            rx.menu.item(
                rx.cond(LANG.value == lang, icon("check", 14), rx.el.span(class_name="fz-no-icon")),
                name,
                on_click=[LANG.set_value(lang), ShellState.choose_language(lang)],
            )
            for lang, name in (("fr", "Français"), ("en", "English"))
        ],
        rx.menu.separator(),
        rx.el.div(t("layout.appearance"), class_name="fz-menu-label"),
        *[
            rx.menu.item(icon(drawing, 14), t(f"layout.{mode}"), on_click=set_color_mode(mode))
            for mode, drawing in (("light", "sun"), ("dark", "moon"), ("system", "monitor"))
        ],
        rx.menu.separator(),
        rx.menu.item(icon("keyboard", 14), t("keys.title"), on_click=SHOW_KEYS),
        rx.menu.item(icon("log-out", 14), t("layout.sign_out"), on_click=ShellState.sign_out),
    ]


def _tab_bar() -> rx.Component:
    """Return a phone's bar: four tabs, and behind the fifth what the menu has besides."""
    tabs = [_nav_link(entry, t(entry.short), 20, "fz-tab-item") for entry in MENU if entry.short]
    others = [
        rx.menu.item(
            icon(entry.icon, 14),
            t(entry.key),
            *([_help_badge()] if entry.href == "/help" else []),
            on_click=rx.redirect(entry.href),
        )
        for entry in MENU
        if not entry.short
    ]
    more = rx.menu.root(
        rx.menu.trigger(
            rx.el.button(icon("menu", 20), rx.el.span(t("layout.more")), type="button", class_name="fz-tab-item")
        ),
        rx.menu.content(
            rx.menu.item(icon("search", 14), t("palette.open"), on_click=OPEN_PALETTE),
            rx.menu.separator(),
            *others,
            rx.menu.separator(),
            *_person_items(),
            size="2",
            side="top",
            align="end",
            class_name="fz-menu",
        ),
        modal=False,
    )
    return rx.el.nav(*tabs, more, aria_label=t("layout.main_menu"), class_name="fz-tab-bar")
