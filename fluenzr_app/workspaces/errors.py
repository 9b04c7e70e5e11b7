"""What can be refused in the workspaces room, in words a user could read.

`code` is stable, for catalogues and API answers; `details` hold what a sentence in another language needs.
"""

from datetime import datetime
from typing import Any


class WorkspacesError(Exception):
    """Something about users, sessions, keys or workspaces was refused."""

    code = "workspaces_error"

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.details: dict[str, Any] = details


class SignInRefused(WorkspacesError):
    """The address and the password do not belong together; which of the two is wrong is not told."""

    code = "sign_in_refused"

    def __init__(self) -> None:
        super().__init__("This e-mail address and password do not match.")


class Throttled(WorkspacesError):
    """Too many failed tries for this address or account; the next one is looked at from `until` on."""

    code = "throttled"

    def __init__(self, until: datetime) -> None:
        super().__init__("Too many tries. Wait a little, then try again.", until=until)
        self.until = until


class TicketRefused(WorkspacesError):
    """A sign-in ticket is unknown, used, older than a minute, or belongs to another browser."""

    code = "ticket_refused"

    def __init__(self) -> None:
        super().__init__("This sign-in has expired. Sign in again.")


class PasswordRefused(WorkspacesError):
    """The password does not meet the rules; `details` hold `minimum` and `maximum` in characters."""

    code = "password_refused"

    def __init__(self, code: str, message: str, **details: Any) -> None:
        super().__init__(message, **details)
        self.code = code


class BadUserAddress(WorkspacesError):
    """The text is no e-mail address."""

    code = "bad_address"


class EmailTaken(WorkspacesError):
    """Somebody signs in with this address already."""

    code = "email_taken"

    def __init__(self, email: str) -> None:
        super().__init__(f"{email} is a user of this installation already.", email=email)


class NameMissing(WorkspacesError):
    """A name that people will read was left empty, or is too long."""

    code = "name_missing"


class TrackingRefused(WorkspacesError):
    """A tracking setting cannot take this value; `details` hold the `field`."""

    code = "tracking_refused"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message, field=field)
        self.field = field


class SetupRefused(WorkspacesError):
    """The first-start link is unknown or used, or the installation has an owner already."""

    code = "setup_refused"

    def __init__(self) -> None:
        super().__init__("This link is no longer valid. If nobody can sign in, run “fluenzr user add”.")


class NotAllowed(WorkspacesError):
    """Only an admin of the workspace may do this."""

    code = "not_allowed"

    def __init__(self) -> None:
        super().__init__("Only an admin of this workspace may do this.")


class UnknownWorkspace(WorkspacesError):
    """There is no such workspace, or the user is not in it."""

    code = "unknown_workspace"

    def __init__(self) -> None:
        super().__init__("There is no such workspace.")


class WorkspaceWanted(WorkspacesError):
    """The installation has several workspaces and none was named."""

    code = "workspace_wanted"

    def __init__(self) -> None:
        super().__init__("This installation has several workspaces; name one with --workspace.")


class UnknownUser(WorkspacesError):
    """There is no user with this address or id."""

    code = "unknown_user"

    def __init__(self) -> None:
        super().__init__("There is no such user.")


class SecretMissing(WorkspacesError):
    """A stored secret is not there any more."""

    code = "secret_missing"

    def __init__(self) -> None:
        super().__init__("A stored secret is missing; enter it again.")


class KeyRefused(WorkspacesError):
    """An API key is not accepted; `reason` (missing, malformed, unknown, revoked) is for the log, not the caller."""

    code = "key_refused"

    def __init__(self, reason: str, key_id: int | None = None) -> None:
        super().__init__("Invalid or missing API key")
        self.reason = reason
        self.key_id = key_id


class UnknownKey(WorkspacesError):
    """The workspace has no such API key."""

    code = "unknown_key"

    def __init__(self) -> None:
        super().__init__("There is no such API key.")


class IdempotencyConflict(WorkspacesError):
    """The idempotency key was used for another request."""

    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for another request.")


class IdempotencyInProgress(WorkspacesError):
    """The request with this idempotency key is still being worked on."""

    code = "idempotency_in_progress"

    def __init__(self) -> None:
        super().__init__("The first request with this Idempotency-Key has not finished yet.")
