"""The page inside a frame in which somebody's mail is shown: it runs nothing and asks nobody but for pictures."""

from typing import Final

POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src https: data:"
# What a frame with a mail in it may do besides showing it: a link opens in a tab of its own, outside the sandbox.
SANDBOX: Final = "allow-popups allow-popups-to-escape-sandbox"
_STYLE: Final = (
    "body{font:14px/1.55 system-ui,-apple-system,'Segoe UI',sans-serif;color:#202020;background:#fff;margin:0;"
    "padding:16px 20px;overflow-wrap:anywhere}p{margin:0 0 12px}img{max-width:100%}a{color:#5a35c0}"
)


def letter_page(markup: str) -> str:
    """Return a whole page for a frame's `srcdoc` around sanitised HTML; the frame itself is to be sandboxed too."""
    return (
        '<!doctype html><html><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<style>{_STYLE}</style></head><body>{markup}</body></html>"
    )
