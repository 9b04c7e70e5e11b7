"""Users and API keys by command: `fluenzr user add`, `fluenzr apikey add`."""

import secrets
from typing import Annotated

import typer

from fluenzr_app.clock import utc_now
from fluenzr_app.commands.context import find_workspace, open_installation
from fluenzr_app.commands.output import answer, refusals_in_words
from fluenzr_app.contacts.stages import make_stages
from fluenzr_app.workspaces import api_keys, users
from fluenzr_app.workspaces.identity import role_of

user_app = typer.Typer(help="Users of this installation.", no_args_is_help=True)
apikey_app = typer.Typer(help="Keys of the REST API.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="answer as one JSON object")]
InWorkspace = Annotated[str | None, typer.Option("--workspace", help="name or number; needed with several")]


@user_app.command("add")
def add_user(
    email: str,
    first_name: Annotated[str, typer.Option("--first-name")] = "",
    last_name: Annotated[str, typer.Option("--last-name")] = "",
    role: Annotated[str, typer.Option("--role", help="admin or member")] = "member",
    password: Annotated[str | None, typer.Option("--password", help="one is made up unless given")] = None,
    workspace: InWorkspace = None,
    workspace_name: Annotated[str, typer.Option("--workspace-name", help="of the first user's workspace")] = "",
    language: Annotated[str, typer.Option("--language", help="fr or en")] = "fr",
    as_json: Json = False,
) -> None:
    """Make a user and print address and password; the first one gets a workspace."""
    with refusals_in_words(), open_installation() as (_, db, keyring):
        chosen = password or secrets.token_urlsafe(15)
        with db.transaction() as session:
            first = not users.has_owner(session)
            now = utc_now()
            identity = users.add_user(
                session,
                keyring,
                email=email,
                password=chosen,
                now=now,
                first_name=first_name,
                last_name=last_name,
                workspace_id=None if first else find_workspace(session, workspace),
                workspace_name=workspace_name or email.partition("@")[2] or "FluenzR",
                role=role_of(role),
                language=language,
            )
            make_stages(session, identity.workspace_id, now)
        answer({"email": email, "password": chosen}, as_json=as_json)


@user_app.command("password")
def set_password(
    email: str,
    password: Annotated[str | None, typer.Option("--password", help="one is made up unless given")] = None,
    as_json: Json = False,
) -> None:
    """Give a user another password, print it, and end all their sessions."""
    with refusals_in_words(), open_installation() as (_, db, _keyring):
        chosen = password or secrets.token_urlsafe(15)
        with db.transaction() as session:
            users.set_password(session, users.find_user(session, email), chosen, utc_now())
        answer({"email": email, "password": chosen}, as_json=as_json)


@apikey_app.command("add")
def add_key(
    name: str,
    read_only: Annotated[bool, typer.Option("--read-only", help="may read, not write")] = False,
    workspace: InWorkspace = None,
    as_json: Json = False,
) -> None:
    """Make an API key and print it; it is shown this once."""
    with refusals_in_words(), open_installation() as (_, db, _keyring):
        with db.transaction() as session:
            made = api_keys.create_key(
                session,
                find_workspace(session, workspace),
                name=name,
                permission="read" if read_only else "all",
                created_by=None,
                now=utc_now(),
            )
        answer({"key": made.secret}, as_json=as_json, lines=(made.secret,))
