"""What our own users look at, in the inbox or in their Sent folder, is no opening and no click of the recipient."""

import re
from email.message import EmailMessage

from fluenzr_app.campaigns.nodes import EmailNode
from fluenzr_app.inbox.thread import shown_html, thread
from fluenzr_app.mail.incoming import parse
from fluenzr_app.tracking.own_links import own_links
from tests.engine_world import ON_SQLITE, PUBLIC_URL, Taken
from tests.inbox.world import InboxWorld

TARGET = "https://rivage.example/offre?a=1&b=2"
MAIL = EmailNode(
    "n1", "First", "Offre", f'<p>Bonjour, voici <a href="{TARGET.replace("&", "&amp;")}">notre offre</a>.</p>'
)
OURS = re.compile(re.escape(PUBLIC_URL) + "/[oc]/")


async def sent(inbox: InboxWorld) -> Taken:
    inbox.campaign([inbox.account()], inbox.people(1), [MAIL])
    await inbox.tick()
    (taken,) = inbox.office.taken
    assert len(OURS.findall(parse(taken.raw).html)) == 3, "a link, the trap and the pixel"
    return taken


def quoting(inbox: InboxWorld, taken: Taken) -> EmailMessage:
    """An answer of a mail program that quotes the whole mail, in its HTML and, made from that, in its text."""
    ours = parse(taken.raw).html
    link = re.search(r'href="([^"]+/c/[^"]+)">notre', ours)
    assert link is not None
    mail = inbox.mail_from(
        taken.recipient, taken.account_id, f"Re: {taken.mail['Subject']}",
        f"Oui, volontiers, surtout <{link[1]}>.\n\n"
        f"On Mon, Mar 2, 2026 at 9:00 AM Léa <lea@rivage.example> wrote:\n> Bonjour, voici notre offre <{link[1]}>.\n",
        In_Reply_To=taken.rfc_id, References=taken.rfc_id,
    )  # fmt: skip
    mail.add_alternative(
        f'<div>Oui, volontiers.<img src="https://logo.example/a.png"></div><blockquote>{ours}</blockquote>',
        subtype="html",
    )
    return mail


async def test_a_quoted_mail_of_ours_is_shown_without_pixel_and_leads_straight_to_its_links(inbox: InboxWorld) -> None:
    taken = await sent(inbox)
    inbox.deliver(taken.account_id, quoting(inbox, taken))
    inbox.read()
    key = int(inbox.one("SELECT id FROM inbound"))
    for images in (False, True):
        with inbox.db.read() as session:
            links = own_links(session, inbox.keyring, PUBLIC_URL)
            shown = shown_html(session, links, inbox.workspace_id, key, remote_images=images)
        assert not OURS.search(shown.document)
        assert f'href="{TARGET.replace("&", "&amp;")}"' in shown.document
        # The sender's logo alone is what one may ask for.
        assert shown.blocked_images == (0 if images else 1)
        assert ("https://logo.example/a.png" in shown.document) is images


async def test_what_is_stored_and_shown_of_a_thread_holds_no_address_that_counts(inbox: InboxWorld) -> None:
    taken = await sent(inbox)
    inbox.deliver(taken.account_id, quoting(inbox, taken))
    inbox.read()
    (row,) = inbox.rows("SELECT text, quoted FROM inbound")
    assert f"surtout <{TARGET}>" in row.text
    assert f"notre offre <{TARGET}>" in row.quoted
    (conversation,) = inbox.rows("SELECT id, preview FROM conversation")
    with inbox.db.read() as session:
        items = thread(session, inbox.workspace_id, conversation.id)
    assert {item.kind for item in items} == {"mail", "reply"}
    for words in (conversation.preview, *(item.text + item.quoted for item in items)):
        assert not OURS.search(words)


@ON_SQLITE
async def test_the_copy_in_the_sent_folder_tells_nothing_when_its_sender_opens_it(inbox: InboxWorld) -> None:
    taken = await sent(inbox)
    await inbox.run_for(minutes=5)
    inbox.read()
    (kept,), _ = inbox.mailboxes.kept("lea@rivage.example", "Sent")
    copy, original = parse(kept.raw), parse(taken.raw)
    assert not OURS.search(copy.html)
    assert f'href="{TARGET.replace("&", "&amp;")}"' in copy.html
    assert "<img" not in copy.html
    # All the rest is the mail that left.
    assert (copy.rfc_id, copy.subject, copy.text) == (original.rfc_id, original.subject, original.text)
    assert f"{PUBLIC_URL}/u/" in copy.html
    assert kept.raw.partition(b"\r\n\r\n")[0] == taken.raw.partition(b"\r\n\r\n")[0]


@ON_SQLITE
async def test_a_mail_without_tracking_is_copied_byte_by_byte(inbox: InboxWorld) -> None:
    inbox.execute("UPDATE workspace SET track_opens = 0, track_clicks = 0")
    inbox.campaign([inbox.account()], inbox.people(1), [MAIL])
    await inbox.run_for(minutes=5)
    inbox.read()
    (kept,), _ = inbox.mailboxes.kept("lea@rivage.example", "Sent")
    assert kept.raw == inbox.office.taken[0].raw
