"""A mail of ours with other HTML in it, all its other bytes as they were."""

from binascii import b2a_base64, b2a_qp
from collections.abc import Callable

from fluenzr_app.mail.mime import octets, walk


def with_changed_html(raw: bytes, change: Callable[[str], str]) -> bytes:
    """Return a mail as `compose` makes it with `change` made to its HTML; as it was where it has none."""
    for part in walk(raw):
        if part.content_type == "text/html" and part.disposition != "attachment":
            page = octets(raw, part).decode("utf-8", "replace")
            changed = change(page)
            if changed == page:
                return raw
            encoding = part.header("content-transfer-encoding").strip().lower()
            return raw[: part.start] + _encoded(changed.encode(), encoding) + raw[part.end :]
    return raw


def _encoded(content: bytes, encoding: str) -> bytes:
    if encoding == "base64":
        encoded = b2a_base64(content, newline=False)
        return b"\r\n".join(encoded[at : at + 76] for at in range(0, len(encoded), 76))
    return b2a_qp(content, quotetabs=False, istext=True, header=False) if encoding == "quoted-printable" else content
