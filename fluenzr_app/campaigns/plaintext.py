"""The plain alternative of an HTML body, made once from the template, so that nothing is converted per mail."""

from fluenzr_app.campaigns.template import URL_CLOSES, URL_IN_BRACKETS_OPENS
from fluenzr_app.mail.html_text import html_to_text


def text_of_html(markup: str) -> str:
    """Return clean HTML as plain text: paragraphs apart, lists with marks, links as ``words (address)``.

    Variables stay; an address that holds some is framed for `compile_marked_text`, to be encoded when filled in.
    """
    return html_to_text(markup, _framed)


def _framed(address: str) -> str:
    return f"{URL_IN_BRACKETS_OPENS}{address}{URL_CLOSES}" if "{{" in address else f" ({address})"
