"""What can be refused in the contacts room, in words a user could read.

Each error carries a ``code`` (stable, for catalogues and for API answers) and ``details`` (values that a
sentence in another language needs).
"""

from __future__ import annotations

from typing import Any


class ContactsError(Exception):
    """Something about contacts was refused."""

    code = "contacts_error"

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.details: dict[str, Any] = details


class ContactNotFound(ContactsError):
    """There is no such contact in this workspace."""

    code = "contact_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such contact in this workspace.")


class GroupNotFound(ContactsError):
    """There is no such group in this workspace."""

    code = "group_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such group in this workspace.")


class GroupNameTaken(ContactsError):
    """Another group of the workspace has this name already."""

    code = "group_name_taken"

    def __init__(self, name: str, group_id: int) -> None:
        super().__init__(f"There is already a group named “{name}”.", name=name)
        self.group_id = group_id


class StageNotFound(ContactsError):
    """There is no such pipeline stage in this workspace."""

    code = "stage_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such pipeline stage in this workspace.")


class EmailTaken(ContactsError):
    """A contact with this address exists already; ``contact_id`` says which."""

    code = "email_taken"

    def __init__(self, email: str, contact_id: int) -> None:
        super().__init__(f"{email} is already one of your contacts.", email=email)
        self.contact_id = contact_id


class StaleContact(ContactsError):
    """The contact was changed by somebody else after it was read."""

    code = "contact_changed_meanwhile"

    def __init__(self, revision: int) -> None:
        super().__init__(
            "Somebody else changed this contact in the meantime; read it again before saving.", revision=revision
        )


class InvalidValue(ContactsError):
    """A field's value cannot be kept: ``field`` names it, ``code`` says why."""

    def __init__(self, field: str, code: str, message: str, **details: Any) -> None:
        super().__init__(message, field=field, **details)
        self.field = field
        self.code = code


class ContactLimitReached(ContactsError):
    """The workspace's plan holds no more contacts."""

    code = "contact_limit_reached"

    def __init__(self, limit: int, have: int, wanted: int) -> None:
        super().__init__(
            f"Your plan holds {limit} contacts; you have {have}, and this would add {wanted}.",
            limit=limit,
            have=have,
            wanted=wanted,
        )


class ImportRowsLimitReached(ContactsError):
    """The file has more rows than the plan imports at once."""

    code = "import_rows_limit_reached"

    def __init__(self, limit: int, rows: int) -> None:
        super().__init__(f"Your plan imports {limit} rows at once; this file has {rows}.", limit=limit, rows=rows)


class FileRefused(ContactsError):
    """The file as a whole cannot be imported; ``code`` says why and the message what to do."""

    def __init__(self, code: str, message: str, **details: Any) -> None:
        super().__init__(message, **details)
        self.code = code


class NoHeader(FileRefused):
    """The first row holds data where the names of the columns should be."""

    def __init__(self, line: int, example: str) -> None:
        super().__init__(
            "no_header",
            f"Line {line} holds data (“{example}”) where the names of the columns should be. Add a first row with "
            "a name for each column, such as email, first name, company, and choose the file again.",
            line=line,
            example=example,
        )


class ImportNotFound(ContactsError):
    """There is no such import in this workspace."""

    code = "import_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such import in this workspace.")


class ImportNotReady(ContactsError):
    """The import cannot do this in its present state; ``code`` says what is missing."""

    def __init__(self, code: str, message: str, **details: Any) -> None:
        super().__init__(message, **details)
        self.code = code


class SuppressionNotFound(ContactsError):
    """There is no such entry on the workspace's suppression list."""

    code = "suppression_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such entry on your suppression list.")


class ContactInUse(ContactsError):
    """Something of another room still refers to the contact, such as an enrollment in a campaign."""

    code = "contact_in_use"

    def __init__(self) -> None:
        super().__init__("A campaign still refers to this contact; take it out of its campaigns, or archive it.")
