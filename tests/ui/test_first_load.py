"""The first page is small and asked for at once; each page brings its own scripts and no others'."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request, Response, expect

from fluenzr_app.ui.first_load import early_loads, icons_in_one_file, with_early_loads, without_whole_radix
from fluenzr_app.ui.used_styles import used_styles
from tests.real.browser import new_context
from tests.ui.conftest import Site
from tests.ui.test_site import sign_in

# What goes over the wire before the sign-in and the dashboard are there, the font among it.
SIGN_IN_BYTES, DASHBOARD_BYTES = 300_000, 400_000
REQUESTS = 24
LARGEST_SCRIPT = 450_000


def route(path: str, *files: str) -> dict[str, Any]:
    return {"id": path, "path": path, "module": f"/assets/{files[0]}", "imports": [f"/assets/{f}" for f in files[1:]]}


MANIFEST = {
    "entry": {"module": "/assets/entry.js", "imports": ["/assets/react.js"]},
    "routes": {
        "root": {"id": "root", "path": "", "module": "/assets/root.js", "imports": ["/assets/react.js"]},
        "_index": {"id": "_index", "module": "/assets/home.js", "imports": ["/assets/react.js", "/assets/menu.js"]},
        "one": route("campaigns/:campaign", "one.js"),
        "new": route("campaigns/new", "new.js"),
        "inbox": route("inbox/:conversation?", "inbox.js", "react.js"),
    },
}


def loads_of(script: str, path: str) -> list[str]:
    table = json.loads(re.search(r"table=(\[\[.*?\]\]\]|\[.*?\]);const load", script)[1])  # type: ignore[index]
    return next(files for pattern, files in table if re.search(pattern, path))


def test_each_address_asks_at_once_for_what_its_page_needs_beyond_what_all_need():
    script = early_loads(MANIFEST, ["/assets/inter.woff2"])
    assert loads_of(script, "/") == ["/assets/home.js", "/assets/menu.js"]
    assert loads_of(script, "/inbox") == loads_of(script, "/inbox/cnv_1") == ["/assets/inbox.js"]
    assert loads_of(script, "/campaigns/new") == ["/assets/new.js"]
    assert loads_of(script, "/campaigns/cmp_1") == ["/assets/one.js"]
    assert '["/","/inbox"]' in script
    assert "/assets/inter.woff2" in script


def test_the_script_stands_before_anything_else_in_the_page():
    assert with_early_loads("<html><head><title/></head>", "go()") == "<html><head><title/><script>go()</script></head>"
    with pytest.raises(ValueError, match="no head"):
        with_early_loads("<html>", "go()")


def test_styles_of_parts_that_no_script_names_go_and_all_others_stay():
    sheet = (
        "@import url(a.css);"
        ".rt-Dialog,.rt-Card{color:red}.rt-Card:not(.rt-Dialog){a:b}"
        "@media (width>1px){.rt-Card{a:b}.fz-x:is(.rt-Card){a:b}}"
        '.rt-Dialog:before{content:"} .rt-Card{"}.xs\\:rt-r-p{a:b}.rt-r-p-1{a:b}.rt-r-m{a:b}'
    )
    kept = used_styles(sheet, ["`rt-Dialog`,`rt-r-p`"])
    assert kept == (
        "@import url(a.css);.rt-Dialog{color:red}@media (width>1px){.fz-x:is(.rt-Card){a:b}}"
        '.rt-Dialog:before{content:"} .rt-Card{"}.rt-r-p-1{a:b}'
    )


def test_properties_that_nothing_reads_go_with_what_only_they_read():
    sheet = ":root{--a:1;--b:var(--a);--c:2;--d:url(data:x;y)}.x{color:var(--c)}@supports (a:b){:root{--b:3}}"
    assert used_styles(sheet, []) == ":root{--c:2}.x{color:var(--c)}"
    assert used_styles(sheet, ['style("--b")']).startswith(":root{--a:1;--b:var(--a);--c:2}")


def test_colours_that_no_script_names_go():
    sheet = '[data-accent-color=red]{a:b}[data-accent-color="violet"]{a:b}'
    assert used_styles(sheet, ["{accentColor:`violet`}"]) == '[data-accent-color="violet"]{a:b}'


def test_a_file_that_another_version_of_reflex_writes_differently_is_refused():
    with pytest.raises(ValueError, match="pinned version"):
        without_whole_radix("const loaders = {};")
    with pytest.raises(ValueError, match="pinned version"):
        icons_in_one_file("export default {}")


@pytest.fixture
def cold(browser: Browser) -> Iterator[Page]:
    """A page of a browser that has never been here."""
    context = new_context(browser)
    yield context.new_page()
    context.close()


def watch(page: Page) -> list[Response]:
    """Note every answer of the server."""
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))
    return answers


def weight(requests: list[Request]) -> int:
    sizes = [request.sizes() for request in requests]
    return sum(size["responseBodySize"] + size["responseHeadersSize"] for size in sizes)


def assert_light(answers: list[Response], at_most: int) -> None:
    requests = [answer.request for answer in answers]
    assert len(requests) <= REQUESTS, [request.url for request in requests]
    assert weight(requests) <= at_most, [(request.url, weight([request])) for request in requests]


def test_the_sign_in_loads_little_and_nothing_of_editors_lists_or_menus(cold: Page, site: Site):
    answers = watch(cold)
    cold.goto(f"{site.url}/sign-in")
    expect(cold.get_by_role("heading", name="Bon retour")).to_be_visible()
    assert_light(answers, SIGN_IN_BYTES)
    assert [
        a.url for a in answers if re.search("editor|upload|dialog|dropdown|popover|_contacts_|_campaigns_", a.url)
    ] == []


def test_the_dashboard_loads_no_other_page_before_it_is_there(page: Page, cold: Page, site: Site):
    sign_in(page, site)
    expect(page.get_by_role("heading", name="Tableau de bord")).to_be_visible()
    cold.context.add_cookies(page.context.cookies())  # type: ignore[arg-type]
    answers = watch(cold)
    cold.goto(site.url)
    expect(cold.get_by_role("button", name="Votre compte")).to_contain_text("Atelier Rivage")
    before_the_rest = [a for a in answers if a.request.resource_type != "other"]
    assert_light(before_the_rest, DASHBOARD_BYTES)
    assert [a.url for a in before_the_rest if re.search("editor|upload|_contacts_|_campaigns_|_inbox_", a.url)] == []


def test_hashed_files_are_kept_for_ever_and_come_compressed(cold: Page, site: Site):
    answers = watch(cold)
    cold.goto(f"{site.url}/sign-in")
    expect(cold.get_by_role("heading", name="Bon retour")).to_be_visible()
    hashed = [answer for answer in answers if "/assets/" in answer.url]
    assert len(hashed) > 5
    for answer in hashed:
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable", answer.url
        if re.search(r"\.(js|css)$", answer.url) and int(answer.headers["content-length"]) > 1000:
            assert answer.headers.get("content-encoding") in {"br", "gzip"}, answer.url
            assert "accept-encoding" in answer.headers["vary"].lower(), answer.url


def test_no_script_holds_more_than_one_page(bundle: Path):
    sizes = {script.name: script.stat().st_size for script in (bundle / "build" / "client" / "assets").glob("*.js")}
    assert {name: size for name, size in sizes.items() if size > LARGEST_SCRIPT} == {}
    assert sum("icons" in name for name in sizes) == 1


# What one sees of a page in each frame: is anything in it, and does it have a title.
_FRAMES = """
window.seenEmpty = [];
(function look() {
  const main = document.querySelector("main");
  const text = main ? main.innerText.trim() : "";
  const filled = main && main.querySelector("h1") && main.querySelector("h1").innerText &&
    main.getBoundingClientRect().height > 100 && main.querySelectorAll("*").length > 12;
  if (!filled) window.seenEmpty.push([location.pathname, text.slice(0, 60), document.querySelectorAll("nav").length]);
  requestAnimationFrame(look);
})();
"""


def test_going_from_list_to_list_on_a_slow_line_never_shows_an_empty_frame(page: Page, site: Site):
    sign_in(page, site)
    expect(page.get_by_role("button", name="Votre compte")).to_contain_text("Atelier Rivage")
    cdp = page.context.new_cdp_session(page)
    cdp.send("Network.enable")
    slow = {"offline": False, "latency": 150, "downloadThroughput": 100_000, "uploadThroughput": 50_000}
    cdp.send("Network.emulateNetworkConditions", slow)
    page.evaluate(_FRAMES)
    menu = page.get_by_role("navigation").first
    for name, title in (
        ("Contacts", "Contacts"), ("Campagnes", "Campagnes"), ("Boîte de réception", "Boîte de réception"),
        ("Comptes email", "Comptes email"), ("Contacts", "Contacts"), ("Campagnes", "Campagnes"),
    ):  # fmt: skip
        menu.get_by_role("link", name=re.compile(name, re.IGNORECASE)).click()
        expect(page.get_by_role("heading", name=re.compile(title, re.IGNORECASE), level=1)).to_be_visible()
        expect(page.locator("main .fz-skeleton")).to_have_count(0)
    assert page.evaluate("window.seenEmpty") == []
