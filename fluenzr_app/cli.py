"""The command `fluenzr`: puts the subcommands together."""

import typer

from fluenzr_app.commands import bench, contacts, demo, operation, serving, support
from fluenzr_app.commands.people import apikey_app, user_app

app = typer.Typer(
    name="fluenzr",
    help="Self-hosted cold e-mail from your own mailboxes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(serving.serve)
app.command()(demo.demo)
for command in (operation.migrate, operation.backup, operation.restore, operation.release, operation.doctor):
    app.command()(command)
app.command()(support.support)
app.command()(bench.bench)
app.add_typer(user_app, name="user")
app.add_typer(contacts.app, name="contacts")
app.add_typer(apikey_app, name="apikey")
app.add_typer(operation.stats_app, name="stats")
app.add_typer(operation.secrets_app, name="secrets")
