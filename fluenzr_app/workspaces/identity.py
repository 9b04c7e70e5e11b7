"""Who is asking: a signed-in person, and what only an admin may do."""

from dataclasses import dataclass
from typing import Literal, cast

from fluenzr_app.workspaces.errors import NotAllowed

Role = Literal["admin", "member"]


def role_of(text: str) -> Role:
    """Return `text` as a role; raises ValueError for anything but admin and member."""
    if text not in ("admin", "member"):
        raise ValueError(f"unknown role {text}")
    return cast(Role, text)


@dataclass(frozen=True, slots=True)
class Identity:
    """A person in one workspace, with the rights that the membership gives at this moment.

    `session_id` is absent for somebody who was just made or acts by command. `stale` asks the caller to note with
    `sessions.touch` that the session is in use.
    """

    user_id: int
    workspace_id: int
    role: Role
    email: str
    name: str
    language: str
    session_id: int | None = None
    stale: bool = False

    @property
    def is_admin(self) -> bool:
        """Whether settings, accounts and keys of the workspace are this person's to change."""
        return self.role == "admin"


def require_admin(identity: Identity) -> None:
    """Raise NotAllowed unless `identity` is an admin of its workspace (platform.md, Users)."""
    if not identity.is_admin:
        raise NotAllowed
