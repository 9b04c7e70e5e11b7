"""The incoming side of the sample's accounts: their mailboxes lie in this process, and nothing is dialled for them."""

from collections.abc import Callable

from fluenzr_app.accounts.connect import imap_settings
from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.demo.post_office import HOST, DemoPostOffice
from fluenzr_app.mail.imap_mailbox import open_mailbox
from fluenzr_app.mail.mailbox import Mailbox
from fluenzr_app.settings import Settings


def opener(
    settings: Settings, db: Database, keyring: KeyRing, office: DemoPostOffice
) -> Callable[[int], Mailbox | None]:
    """Return what opens the mailbox of an account, with the password that the product knows.

    An account that a visitor connected with a server of its own is opened there, as everywhere (see `loopback`).
    """

    def open_account(account_id: int) -> Mailbox | None:
        with db.read() as session:
            account = session.get(EmailAccount, account_id)
            known = None if account is None else imap_settings(session, keyring, account, settings)
        if known is None:
            return None
        is_ours = (known.host, known.port) == (HOST, office.imap_port)
        return office.open_mailbox(known.username, known.password) if is_ours else open_mailbox(known)

    return open_account
