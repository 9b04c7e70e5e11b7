"""What there is to see: every page with its main states, for pictures and for the checks of access."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from playwright.sync_api import BrowserContext, Page, expect

from fluenzr_app.words.catalogue import Lang, words
from tests.people import PASSWORD
from tests.ui.scenery import Kind, Scenery

Act = Callable[[Page, Lang], object]
EVERY: tuple[Kind, ...] = ("full", "empty", "failing")
_STOCKED: tuple[Kind, ...] = ("full", "failing")
# Nothing has moved for this long, and nothing says that it is still loading.
_SETTLED_MS = 160
_WATCH = """
    (() => {
        window.fzMoved = performance.now();
        new MutationObserver(() => { window.fzMoved = performance.now(); })
            .observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
    })();
"""
_STILL = f"""() => document.querySelector('main, .fz-alone, h1')
    && !document.querySelector('[aria-busy="true"], .fz-skeleton')
    && document.fonts.status === 'loaded' && document.getAnimations().every((each) => each.playState !== 'running'
        || each.effect.getComputedTiming().iterations === Infinity)
    && performance.now() - window.fzMoved > {_SETTLED_MS}"""

# A colour that is inherited through several changing elements takes a frame for each of them.
_FRAMES = """new Promise((done) => {
    const next = (left) => (left ? requestAnimationFrame(() => next(left - 1)) : done());
    next(12);
})"""


@dataclass(frozen=True)
class Scene:
    """A page in a state: `path` with `{ids}` of the scenery, and what is pressed there.

    `route` is its line in the registry. `wants` are the ids without which there is nothing to see.
    """

    name: str
    route: str
    path: str
    act: Act | None = None
    kinds: tuple[Kind, ...] = EVERY
    public: bool = False

    def address(self, scenery: Scenery) -> str | None:
        """Return the path in this installation; None where it has no such thing."""
        if scenery.kind not in self.kinds or any(name not in scenery.ids for name in re.findall(r"{(\w+)}", self.path)):
            return None
        return self.path.format(**scenery.ids)


def press(role: str, key: str, **values: object) -> Act:
    """Return what presses the first thing of this role whose name is that entry of the catalogues."""

    def act(page: Page, lang: Lang) -> None:
        name = words(lang, key, **values)  # type: ignore[arg-type]
        page.get_by_role(role, name=name, exact=True).locator("visible=true").first.click()  # type: ignore[arg-type]

    return act


def click(selector: str) -> Act:
    """Return what presses the first visible element of this selector."""
    return lambda page, lang: page.locator(selector).locator("visible=true").first.click()


def row(*acts: Act) -> Act:
    """Return what does one act after the other, each once the page is still."""

    def act(page: Page, lang: Lang) -> None:
        for each in acts:
            each(page, lang)
            still(page)

    return act


def _key(key: str) -> Act:
    return lambda page, lang: page.keyboard.press(key)


# Offline, a browser opens no new connection and keeps the one it has.
_HOLD_SOCKETS = """
    window.fzSockets = [];
    window.WebSocket = class extends WebSocket {
        constructor(...given) { super(...given); window.fzSockets.push(this); }
    };
"""


def _offline(page: Page, lang: Lang) -> None:
    page.add_init_script(_HOLD_SOCKETS)
    page.reload()
    still(page)
    page.context.set_offline(True)
    page.evaluate("window.fzSockets.forEach((each) => each.close())")
    expect(page.get_by_text(words(lang, "layout.lost"))).to_be_visible(timeout=30_000)


_C = "/campaigns/[campaign]"
_SELECTED = click("tbody .fz-tr [role=checkbox], tbody .fz-tr input[type=checkbox]")

SCENES: tuple[Scene, ...] = (
    Scene("dashboard", "/", "/"),
    Scene("account-menu", "/", "/", click(".fz-person, button.fz-tab-item"), ("full",)),
    Scene("inbox", "/inbox/[[conversation]]", "/inbox?tab=all"),
    Scene("inbox-open", "/inbox/[[conversation]]", "/inbox/{conversation}?tab=all", None, _STOCKED),
    Scene("inbox-filter", "/inbox/[[conversation]]", "/inbox?tab=all", press("button", "inbox.filter"), ("failing",)),
    Scene(
        "inbox-snooze", "/inbox/[[conversation]]", "/inbox/{conversation}?tab=all", press("button", "inbox.snooze"),
        ("failing",),
    ),
    Scene(
        "inbox-menu", "/inbox/[[conversation]]", "/inbox/{conversation}?tab=all", click(".fzi-head [aria-haspopup]"),
        ("failing",),
    ),
    Scene("accounts", "/accounts", "/accounts"),
    Scene("accounts-connect", "/accounts", "/accounts?open=connect", None, ("empty", "failing")),
    Scene("accounts-settings", "/accounts", "/accounts?open=settings&account={account}", None, _STOCKED),
    Scene("accounts-reconnect", "/accounts", "/accounts?open=reconnect&account={account}", None, ("failing",)),
    Scene("accounts-day", "/accounts", "/accounts?open=day&account={account}", None, _STOCKED),
    Scene("accounts-remove", "/accounts", "/accounts?open=remove&account={account}", None, ("failing",)),
    Scene("accounts-menu", "/accounts", "/accounts", click("tbody [aria-haspopup=menu]"), ("failing",)),
    Scene("contacts", "/contacts", "/contacts"),
    Scene("contacts-nothing", "/contacts", "/contacts?q=keroman", None, ("full",)),
    Scene("contacts-new", "/contacts", "/contacts?new=1", None, ("empty",)),
    Scene("contacts-card", "/contacts", "/contacts?open={contact}", None, _STOCKED),
    Scene("contacts-filter", "/contacts", "/contacts", press("button", "contacts.add_filter"), ("failing",)),
    Scene("contacts-selected", "/contacts", "/contacts", _SELECTED, _STOCKED),
    Scene(
        "contacts-delete", "/contacts", "/contacts", row(_SELECTED, press("button", "contacts.act.delete")),
        ("failing",),
    ),
    Scene("import", "/contacts/import", "/contacts/import"),
    Scene("import-columns", "/contacts/import", "/contacts/import?id={import_draft}", None, _STOCKED),
    Scene("import-outcome", "/contacts/import", "/contacts/import?id={import_done}", None, _STOCKED),
    Scene("campaigns", "/campaigns", "/campaigns"),
    Scene("campaigns-new", "/campaigns", "/campaigns", press("button", "campaigns.new"), ("empty",)),
    Scene("campaigns-menu", "/campaigns", "/campaigns", click("tbody [aria-haspopup=menu]"), ("failing",)),
    Scene("campaign-sequence", _C, "/campaigns/{draft}", None, _STOCKED),
    Scene("campaign-sequence-active", _C, "/campaigns/{active}", None, _STOCKED),
    Scene("campaign-start", _C, "/campaigns/{draft}", press("button", "campaign.start"), _STOCKED),
    Scene("campaign-audience", f"{_C}/audience", "/campaigns/{active}/audience", None, _STOCKED),
    Scene("campaign-audience-draft", f"{_C}/audience", "/campaigns/{draft}/audience", None, ("failing",)),
    Scene("campaign-timing", f"{_C}/timing", "/campaigns/{draft}/timing", None, _STOCKED),
    Scene("campaign-preview", f"{_C}/preview", "/campaigns/{active}/preview", None, _STOCKED),
    Scene("campaign-progress", f"{_C}/progress", "/campaigns/{active}/progress", None, _STOCKED),
    Scene(
        "campaign-progress-contact", f"{_C}/progress", "/campaigns/{active}/progress", click("tbody .fz-tr td"),
        _STOCKED,
    ),
    Scene("campaign-paused", f"{_C}/progress", "/campaigns/{paused}/progress", None, _STOCKED),
    Scene("settings", "/settings", "/settings"),
    Scene("settings-workspace", "/settings", "/settings?tab=workspace"),
    Scene("settings-privacy", "/settings", "/settings?tab=privacy"),
    Scene("settings-keys", "/settings", "/settings?tab=keys"),
    Scene("settings-suppression", "/settings", "/settings?tab=suppression"),
    Scene("help", "/help/[[topic]]", "/help"),
    Scene("palette", "/", "/", _key("Control+k"), ("full", "empty")),
    Scene("keys", "/", "/", _key("?"), ("full", "empty")),
    Scene("not-found", "404", "/nowhere", None, ("empty",), public=True),
    Scene("sign-in", "/sign-in", "/sign-in", None, ("empty",), public=True),
    Scene("first-start", "/first-start", "/first-start?token=gone", None, ("empty",), public=True),
    Scene("no-connection", "/", "/", _offline, ("failing",)),
)  # fmt: skip


def scenes_of(scenery: Scenery) -> Iterator[tuple[Scene, str]]:
    """Each scene that this installation has, with its path there."""
    for scene in SCENES:
        address = scene.address(scenery)
        if address is not None:
            yield scene, address


def watch(context: BrowserContext) -> None:
    """Let every page of this profile note when it last changed, for `still`."""
    context.add_init_script(_WATCH)


def in_mode(page: Page, mode: str) -> None:
    """Show the page light or dark and wait until it is."""
    page.emulate_media(color_scheme=mode, reduced_motion="reduce")  # type: ignore[arg-type]
    page.wait_for_function("(mode) => document.documentElement.classList.contains(mode)", arg=mode)
    page.evaluate(_FRAMES)


def still(page: Page) -> None:
    """Wait until the page has come to rest."""
    page.wait_for_function(_STILL, timeout=30_000)


def sign_in(context: BrowserContext, url: str, email: str) -> None:
    """Sign this profile in."""
    page = context.new_page()
    page.goto(f"{url}/sign-in")
    page.locator("input[name=email]").fill(email)
    page.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator(".fz-shell")).to_be_visible()
    page.close()


def show(page: Page, url: str, scene: Scene, address: str, lang: Lang) -> None:
    """Open the scene and bring it into its state."""
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.goto(url + address)
    still(page)
    if scene.act is not None:
        scene.act(page, lang)
        still(page)
