"""Foreign HTML in a sandboxed frame: what is taken out, what a browser does with the rest."""

import base64
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import BrowserContext, Page

from fluenzr_app.mail.shown_html import IMAGE_MAX, IMAGES_MAX, ShownHtml, for_display

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)


def shown(page: str, *, remote: bool = False, inline: dict[str, tuple[str, bytes]] | None = None) -> ShownHtml:
    return for_display(page, remote_images=remote, inline=inline or {})


def body(page: str, *, remote: bool = False, inline: dict[str, tuple[str, bytes]] | None = None) -> str:
    document = shown(page, remote=remote, inline=inline).document
    return document[document.index("<body>") + 6 : document.rindex("</body>")]


@pytest.mark.parametrize(
    ("page", "safe"),
    [
        ("<script>x()</script>a", "a"),
        ("<p onclick='x()' onmouseover=y>a</p>", "<p>a</p>"),
        ("<form action='https://x.example'><input name=a><button>b</button></form>", "b"),
        ("<meta http-equiv=refresh content='0;url=https://x.example'>a", "a"),
        ("<base href='https://x.example'><link rel=stylesheet href='https://x.example/s.css'>a", "a"),
        ("<style>@import url(https://x.example);body{display:none}</style>a", "a"),
        ("<p style='position:fixed;top:0;color:red'>a</p>", '<p style="color:red">a</p>'),
        ("<p style='background:url(https://x.example/a);color:red'>a</p>", '<p style="color:red">a</p>'),
        ("<p style='background-color:u\\72l(https://x.example/a)'>a</p>", '<p style="">a</p>'),
        ("<svg onload=x()><script>y()</script></svg>a", "a"),
        ("<iframe src='https://x.example'></iframe><object data=x></object><embed src=y>a", "a"),
        ("<video poster='https://x.example/p' src='https://x.example/v'></video>a", "a"),
        ("<td background='https://x.example'>a</td>", "a"),
    ],
)
def test_what_could_run_load_or_cover_is_taken_out(page: str, safe: str) -> None:
    assert body(page).removeprefix("<p>").removesuffix("</p>") == safe.removeprefix("<p>").removesuffix("</p>")


@pytest.mark.parametrize(
    "address", ["javascript:x()", "data:text/html,x", "/relative", "//x.example", "vbscript:x", "cid:a"]
)
def test_links_lead_to_nothing_but_the_web_mail_and_telephones(address: str) -> None:
    assert "href" not in body(f"<a href='{address}'>a</a>")


def test_links_open_elsewhere_and_tell_nothing() -> None:
    link = body("<a href='https://x.example/a?b=1' target=_top ping='https://y.example'>a</a>")
    assert 'href="https://x.example/a?b=1"' in link
    assert 'target="_blank"' in link
    assert 'rel="noopener noreferrer"' in link
    assert "ping" not in link


def test_remote_images_wait_until_asked_for() -> None:
    page = "<img src='https://x.example/p.gif' alt='logo'><img src='http://y.example/q.png'>"
    blocked = shown(page)
    assert blocked.blocked_images == 2
    assert "x.example" not in blocked.document
    assert "img-src data:;" in blocked.document
    allowed = shown(page, remote=True)
    assert allowed.blocked_images == 0
    assert 'src="https://x.example/p.gif"' in allowed.document
    assert "img-src data: https: http:;" in allowed.document


def test_images_of_the_mail_are_shown_when_they_are_pictures_of_bearable_size() -> None:
    inline = {
        "ok@x": ("image/png", PIXEL),
        "svg@x": ("image/svg+xml", b"<svg/>"),
        "large@x": ("image/png", b"x" * (IMAGE_MAX + 1)),
    }
    assert f'src="data:image/png;base64,{base64.b64encode(PIXEL).decode()}"' in body(
        "<img src='cid:ok@x'>", inline=inline
    )
    for name in ("svg@x", "large@x", "missing@x"):
        assert body(f"<img src='cid:{name}'>", inline=inline) == "<img>"
    assert body("<img src='data:image/svg+xml;base64,PHN2Zy8+'>") == "<img>"
    many = {str(n): ("image/png", b"x" * IMAGE_MAX) for n in range(6)}
    pages = body("".join(f"<img src='cid:{n}'>" for n in many), inline=many)
    assert pages.count("data:image/png") == IMAGES_MAX // IMAGE_MAX


def test_a_page_too_long_is_cut_and_says_so() -> None:
    found = for_display("<p>word</p>" * 300_000, remote_images=False, inline={}, note="La suite manque <ici>.")
    assert found.shortened
    assert "La suite manque &lt;ici&gt;." in found.document
    assert not shown("<p>a</p>").shortened


@pytest.mark.parametrize(
    "hostile",
    [
        "<div>" * 800_000,
        "".join(f"<b a={n}>" for n in range(100_000)) + "<p>x" * 100_000,
        "<b><table><tr><td></b></td></tr></table>" * 50_000,
        ("<p><b>" * 100 + "</p>" * 100) * 1_000,
        ("<div>" * 200 + "</div>" * 200) * 500,
        "<p style='" + "color:red;" * 200_000 + "'>x",
        '<a "' * 500_000,
        "<!--" * 500_000,
        "\0" * 2_000_000,
    ],
    ids=lambda page: page[:12],
)
def test_no_page_takes_a_second(hostile: str) -> None:
    began = time.thread_time()
    shown(hostile)
    assert time.thread_time() - began < 1


_PIECES = [
    "<", ">", "/", "script", "svg", "img src=", "style", "a href=", "javascript:", "data:", "cid:a", "https://x",
    "'",
    '"', " onload=", "x", "=", "&lt;", "<!--", "-->", "<![CDATA[", "]]>", "<math>", "<mtext>", "<table>", "<p ", "\0",
]  # fmt: skip


@settings(deadline=5000)
@given(
    st.lists(st.sampled_from(_PIECES) | st.text(st.characters(exclude_categories=()), max_size=5), max_size=30).map(
        "".join
    )
)
def test_whatever_comes_in_nothing_dangerous_goes_out(page: str) -> None:
    inside = body(page).lower()
    assert "<script" not in inside
    assert "<svg" not in inside
    assert "<style" not in inside
    assert "</body" not in inside


class _Counted(BaseHTTPRequestHandler):
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        self.end_headers()
        self.wfile.write(PIXEL)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        return


@pytest.fixture
def counted() -> Iterator[tuple[str, list[str]]]:
    """A web server on loopback, and the list of what was asked of it."""
    asked: list[str] = []
    handler = type("Handler", (_Counted,), {"asked": asked})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def _hostile(origin: str) -> str:
    return f"""<html><head><base href="{origin}/"><meta http-equiv="refresh" content="0;url={origin}/refresh">
      <link rel="stylesheet" href="{origin}/sheet.css"><link rel="prefetch" href="{origin}/prefetch">
      <style>@import url({origin}/import.css); body {{ background: url({origin}/style.png) }}</style></head>
      <body background="{origin}/back.png" onload="parent.ran = 1; top.location = '{origin}/top'">
      <script>parent.ran = 1; top.location = "{origin}/script"</script>
      <img src="x" onerror="parent.ran = 1"><img src="{origin}/pixel.png"><img srcset="{origin}/set.png 1x">
      <svg onload="parent.ran = 1"><image href="{origin}/svg.png"/></svg>
      <math><mtext><table><mglyph><style><img src=x onerror="parent.ran = 1">
      </style></mglyph></table></mtext></math>
      <div style="background: url({origin}/inline.png); position: fixed; inset: 0">cover</div>
      <video autoplay poster="{origin}/poster.png" src="{origin}/video.mp4"></video>
      <iframe src="{origin}/frame"></iframe><object data="{origin}/object"></object><embed src="{origin}/embed">
      <form id="f" action="{origin}/form" target="_top"><input autofocus onfocus="parent.ran = 1"></form>
      <a id="bad" href="javascript:parent.ran=1" target="_top">bad</a><p id="end">the words</p></body></html>"""


def _framed(page: Page, document: str, sandbox: str) -> None:
    page.set_content("<title>ours</title><p>ours</p><iframe id='mail' width=600 height=400></iframe>")
    page.evaluate(
        "([document_, sandbox]) => { const f = document.getElementById('mail'); f.sandbox = sandbox;"
        " return new Promise(done => { f.onload = done; f.srcdoc = document_; }) }",
        [document, sandbox],
    )


# The second wall alone, without the sandbox: what is taken out must suffice by itself.
@pytest.mark.parametrize("sandbox", ["allow-popups allow-popups-to-escape-sandbox", "allow-scripts allow-same-origin"])
def test_a_browser_runs_nothing_loads_nothing_and_stays(
    context: BrowserContext, counted: tuple[str, list[str]], sandbox: str
) -> None:
    origin, asked = counted
    page = context.new_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    _framed(page, shown(_hostile(origin)).document, sandbox)
    frame = page.frame_locator("#mail")
    assert "the words" in frame.locator("body").inner_text()
    frame.get_by_text("bad").click()
    # Whatever was going to happen has happened once an image that may be loaded has come.
    page.evaluate(
        "origin => new Promise(done => { const i = new Image(); i.onload = done; i.src = origin + '/own.png' })", origin
    )
    assert asked == ["/own.png"]
    assert [url for url in requests if not url.startswith(("about:", "data:"))] == [f"{origin}/own.png"]
    assert page.title() == "ours"
    assert page.evaluate("window.ran") is None
    assert len(context.pages) == 1


def test_without_any_wall_the_same_page_does_harm(context: BrowserContext, counted: tuple[str, list[str]]) -> None:
    origin, asked = counted
    page = context.new_page()
    page.set_content("<iframe id='mail'></iframe>")
    with page.expect_navigation(url=f"{origin}/**"):
        page.evaluate("page => { document.getElementById('mail').srcdoc = page }", _hostile(origin))
    assert asked


def test_the_policy_alone_stops_what_would_slip_through(
    context: BrowserContext, counted: tuple[str, list[str]]
) -> None:
    origin, asked = counted
    page = context.new_page()
    document = shown("<p>a</p>").document.replace("<p>a</p>", _hostile(origin).replace("<meta http-equiv=", "<meta x="))
    _framed(page, document, "allow-scripts allow-same-origin")
    page.evaluate(
        "origin => new Promise(done => { const i = new Image(); i.onload = done; i.src = origin + '/own.png' })", origin
    )
    assert [path for path in asked if path not in ("/own.png", "/prefetch")] == []
    assert page.evaluate("window.ran") is None


def test_images_asked_for_are_loaded_and_links_open_in_a_page_of_their_own(
    context: BrowserContext, counted: tuple[str, list[str]]
) -> None:
    origin, asked = counted
    page = context.new_page()
    mail = f"<img id=a src='{origin}/asked.png'><img src='cid:in'><a href='{origin}/target'>link</a>"
    document = shown(mail, remote=True, inline={"in": ("image/png", PIXEL)}).document
    _framed(page, document, "allow-popups allow-popups-to-escape-sandbox")
    assert asked == ["/asked.png"]
    images = page.frame_locator("#mail").locator("img")
    assert images.evaluate_all("all => all.map(one => one.naturalWidth)") == [1, 1]
    with context.expect_page() as opened:
        page.frame_locator("#mail").get_by_text("link").click()
    opened.value.wait_for_url(f"{origin}/target")
    assert opened.value.evaluate("window.opener") is None
    assert page.title() == "ours"


def test_the_paper_is_white_in_the_dark_and_what_is_too_wide_is_bounded_or_scrolls(context: BrowserContext) -> None:
    page = context.new_page()
    page.emulate_media(color_scheme="dark")
    wide = "".join("<td style='width:4000px'>x</td>" for _ in range(9))
    mail = f"<table width=9000 style='width:9000px'><tr>{wide}</tr></table><div style='width:5000px'>y</div>"
    _framed(page, shown(mail).document, "")
    root = page.frame_locator("#mail").locator("html")
    assert root.evaluate("one => getComputedStyle(one).backgroundColor") == "rgb(255, 255, 255)"
    assert root.evaluate("one => one.querySelector('table').getBoundingClientRect().width <= one.clientWidth")
    root.evaluate("one => { one.scrollLeft = 300; document.body.scrollLeft = 300 }")
    assert root.evaluate("one => one.scrollLeft + document.body.scrollLeft") == 300
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
