"""Why a contact waits, as a sentence for programs' users (campaigns.md, Enrollment; symptoms.md, 6 and 7)."""

from collections.abc import Mapping
from typing import Final

from fluenzr_app.campaigns.waiting import Waiting

_WORDS: Final[Mapping[str, str]] = {
    "uncertain": "It is not certain whether the last mail arrived; decide in the campaign whether to send it again.",
    "held": "This installation was restored from a backup and sends nothing until “fluenzr release”.",
    "not_started": "The campaign has not been started.",
    "campaign_paused": "The campaign is paused.",
    "campaign_completed": "The campaign is completed.",
    "campaign_archived": "The campaign is archived.",
    "leaving": "The mail is on its way.",
    "delay": "The delay before the next mail has not passed.",
    "soft_bounce": "The recipient's server refused the mail for now; it is tried again.",
    "account_removed": "The email account that writes to this contact was removed.",
    "no_account": "The campaign has no email account.",
    "account_backing_off": "The email account's provider asked to wait.",
    "account_error": "The email account has an error.",
    "account_paused": "The email account is paused.",
    "outside_window": "The sending window is closed.",
    "window_never_opens": "The sending window never opens.",
    "hourly_cap": "The campaign's limit of mails an hour is reached.",
    "new_contacts_cap": "The campaign's limit of new contacts a day is reached.",
    "ramp_cap": "The email account is new and its volume still grows; today's room is used up.",
    "daily_cap": "The email account's limit of the last 24 hours is reached.",
    "turn": "It waits for its turn.",
}


def waiting_words(waiting: Waiting) -> str:
    """Return the sentence for a reason; one that has none yet is at least named."""
    return _WORDS.get(waiting.code, f"It waits: {waiting.code.replace('_', ' ')}.")
