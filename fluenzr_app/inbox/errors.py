"""The errors of the inbox room. Each message can be read by a user."""


class InboxError(Exception):
    """Something about a conversation or an answer is not as it must be."""


class ConversationNotFound(InboxError):
    """There is no such conversation in this workspace."""


class BadFilter(InboxError, ValueError):
    """A value by which conversations are filtered, marked or put off is none of those that exist.

    `field` names it as the API does.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class AnswerRefused(InboxError):
    """This answer cannot be sent, undone or attached to.

    `code`: empty, too_long, account_removed, contact_deleted, suppressed, unsubscribed, bounced, blocked, archived,
    file_too_large, files_too_large, too_many_files, bad_file, too_late, no_such_answer, bad_time.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class SavedAnswerRefused(InboxError):
    """A saved answer has no name, no text, or the name of another one.

    `code`: no_name, empty, too_long, template_fault, taken, gone.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
