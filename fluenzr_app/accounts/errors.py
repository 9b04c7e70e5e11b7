"""What can be refused in the accounts room, in words a user could read.

`code` is stable, for catalogues and API answers; `details` hold what a sentence in another language needs.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class AccountsError(Exception):
    """Something about an email account was refused."""

    code = "accounts_error"

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.details: dict[str, Any] = details


class UnknownAccount(AccountsError):
    """The workspace has no such email account, or it was removed."""

    code = "unknown_account"

    def __init__(self) -> None:
        super().__init__("There is no such email account.")


class AddressInUse(AccountsError):
    """The address is connected already; whether in this workspace or in another one is not told."""

    code = "address_in_use"

    def __init__(self, email: str) -> None:
        super().__init__(
            f"{email} is already connected to this installation. An address is connected once, so that its limits "
            "hold.",
            email=email,
        )


class PasswordNeeded(AccountsError):
    """The server's name changes: the stored password is not handed to another server unless it is entered again."""

    code = "password_needed"

    def __init__(self, server: str) -> None:
        super().__init__("Enter the password again to use it with another server.", server=server)


@dataclass(frozen=True, slots=True)
class FieldFault:
    """One field that cannot be taken: its API path (`smtp.port`), a stable code, and what a sentence needs."""

    field: str
    code: str
    message: str
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)


class BadAccountForm(AccountsError):
    """Fields of the account are wrong; `faults` lists all of them at once."""

    code = "account_form_invalid"

    def __init__(self, faults: Sequence[FieldFault]) -> None:
        self.faults: tuple[FieldFault, ...] = tuple(faults)
        super().__init__(" ".join(fault.message for fault in self.faults))
