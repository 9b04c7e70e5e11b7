"""What a browser loads before the first page shows: little, and asked for at once."""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from reflex.plugins import Plugin

from fluenzr_app.bundle import follow_location
from fluenzr_app.ui.used_styles import used_styles

_MANIFEST: Final = re.compile(r"^window\.__reactRouterManifest=(.*?);?\s*$", re.DOTALL)
_FONT: Final = "inter-latin-wght-normal-*.woff2"
_WHOLE_RADIX: Final = '"@radix-ui/themes": () => import("@radix-ui/themes"),'
_CHUNKS: Final = re.compile(r"(codeSplitting:\s*\{\s*groups:\s*\[)")
_ICONS: Final = '{ test: /lucide-react/, name: "icons" },'
_BEFORE_SIGN_IN: Final = ("/sign-in", "/first-start")
# The first page has come to rest by then, also on a slow machine.
_OTHERS_AFTER_MS: Final = 3000

# What the other pages of the menu need comes when the browser is idle; of a stranger's only the dashboard.
_EARLY: Final = """(()=>{const table=TABLE;\
const load=(rel,href,as)=>{if(document.head.querySelector(`link[href="${href}"]`))return;\
const link=document.createElement("link");link.rel=rel;link.href=href;\
if(as){link.as=as;link.type="font/woff2";link.crossOrigin=""}document.head.append(link)};\
const filesOf=path=>(table.find(([pattern])=>new RegExp(pattern).test(path))||["",[]])[1];\
const path=location.pathname.replace(/(.)\\/+$/,"$1");\
filesOf(path).forEach(href=>load("modulepreload",href));\
FONTS.forEach(href=>load("preload",href,"font"));\
const soon=BEFORE.includes(path)?["/"]:MENU;\
const idle=window.requestIdleCallback||setTimeout;\
const next=()=>{const page=soon.shift();if(page===undefined)return;\
filesOf(page).forEach(href=>load("prefetch",href));idle(next)};\
if(!navigator.connection?.saveData)addEventListener("load",()=>setTimeout(()=>idle(next),LATER))})()"""


class FirstLoad(Plugin):
    """Drops what no page uses from scripts and styles, and writes into the page which scripts each address needs."""

    def pre_compile(self, **context: Any) -> None:
        """Have two of the files that Reflex writes changed before they are built."""
        context["add_modify_task"]("app/root.jsx", without_whole_radix)
        context["add_modify_task"]("vite.config.js", icons_in_one_file)

    def post_build(self, **context: Any) -> None:
        """Change the built files in place; Reflex compresses them afterwards.

        Raises BundleError or ValueError if the build does not hold what is looked for: Reflex has changed and so
        must this.
        """
        folder = Path(context["static_dir"])
        follow_location(folder)
        scripts = [path.read_text("utf-8") for path in (folder / "assets").glob("*.js")]
        for sheet in (folder / "assets").glob("*.css"):
            sheet.write_text(used_styles(sheet.read_text("utf-8"), scripts), "utf-8")
        early = early_loads(_manifest(folder), [f"/assets/{font.name}" for font in (folder / "assets").glob(_FONT)])
        for page in folder.glob("*.html"):
            page.write_text(with_early_loads(page.read_text("utf-8"), early), "utf-8")


def without_whole_radix(root: str) -> str:
    """Return the script around all pages without the library kept for components made while it runs: ours has none.

    Raises ValueError if it is not there.
    """
    return _changed(root, root.replace(_WHOLE_RADIX, ""))


def icons_in_one_file(settings: str) -> str:
    """Return the bundler's settings with all icons in one file, where each shared one would be a request of its own.

    Raises ValueError if there is no place for it.
    """
    return _changed(settings, _CHUNKS.sub(rf"\1 {_ICONS}", settings, count=1))


def early_loads(manifest: Mapping[str, Any], fonts: Iterable[str]) -> str:
    """Return the script that asks for what the present address needs, before the router knows it.

    The page is one file for all addresses: without this a browser would learn only from the running
    application which scripts it lacks.
    """
    root = manifest["routes"]["root"]
    always = {manifest["entry"]["module"], *manifest["entry"]["imports"], root["module"], *root["imports"]}
    routes = [route for route in manifest["routes"].values() if route["id"] != "root" and route.get("path") != "*"]
    # Exact addresses first: /campaigns/new is none of /campaigns/:campaign.
    routes.sort(key=lambda route: _path(route).count(":"))
    table = [
        [_pattern(_path(route)), [each for each in (route["module"], *route["imports"]) if each not in always]]
        for route in routes
    ]
    menu = ["/" + _path(route).partition("/:")[0] for route in routes if _is_of_menu(_path(route))]
    script = _EARLY.replace("LATER", str(_OTHERS_AFTER_MS))
    for place, value in (("TABLE", table), ("FONTS", list(fonts)), ("MENU", menu), ("BEFORE", _BEFORE_SIGN_IN)):
        script = script.replace(place, json.dumps(value, separators=(",", ":")))
    return script


def with_early_loads(page: str, script: str) -> str:
    """Return the document `page` with `script` as the last one in its head; raises ValueError without a head.

    The last, for React takes the scripts of the head in their order for its own and throws (#418) at another text.
    """
    before, found, after = page.partition("</head>")
    if not found:
        raise ValueError("the built page has no head to write into; is this the pinned version of Reflex?")
    return f"{before}<script>{script}</script></head>{after}"


def _path(route: Mapping[str, Any]) -> str:
    """Return the router's path of a route, "" for the first page."""
    return str(route.get("path") or "")


def _is_of_menu(path: str) -> bool:
    """Tell whether a page is one step from any other: it has one part, and a second one only if that may be missing."""
    first, _, rest = path.partition("/")
    return f"/{first}" not in _BEFORE_SIGN_IN and (not rest or rest.endswith("?"))


def _pattern(path: str) -> str:
    """Return the regular expression of addresses that the router's `path` stands for."""
    expression = ""
    for part in filter(None, path.split("/")):
        one = "/[^/]+" if part.startswith(":") else "/" + re.escape(part.rstrip("?"))
        expression += f"(?:{one})?" if part.endswith("?") else one
    return f"^{expression or '/'}$"


def _manifest(folder: Path) -> dict[str, Any]:
    for script in (folder / "assets").glob("manifest-*.js"):
        found = _MANIFEST.match(script.read_text("utf-8"))
        if found:
            return dict(json.loads(found[1]))
    raise ValueError("the build holds no list of routes; is this the pinned version of Reflex?")


def _changed(before: str, after: str) -> str:
    if before == after:
        raise ValueError("a file that Reflex writes is not as expected; is this the pinned version?")
    return after
