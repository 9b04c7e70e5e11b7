"""Keeping an installation in order: schema, backup, release, figures, keys, doctor."""

from pathlib import Path
from typing import Annotated

import typer

from fluenzr_app.clock import utc_now
from fluenzr_app.commands import backups
from fluenzr_app.commands.context import CommandRefused, open_installation
from fluenzr_app.commands.doctor import examine
from fluenzr_app.commands.output import answer, refusals_in_words
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.db.migrations import migrate as bring_up_to_date
from fluenzr_app.events import figures
from fluenzr_app.sending import generation
from fluenzr_app.settings import load_settings

Json = Annotated[bool, typer.Option("--json", help="answer as one JSON object")]
stats_app = typer.Typer(help="The figures and their recount.", no_args_is_help=True)


def migrate(as_json: Json = False) -> None:
    """Bring the database's schema up to date."""
    with refusals_in_words():
        settings = load_settings()
        db = Database.open(settings)
        try:
            applied = bring_up_to_date(db)
        finally:
            db.close()
        words = f"applied {', '.join(applied)}" if applied else "the schema is up to date"
        answer({"applied": applied}, as_json=as_json, lines=(words,))


def backup(file: Path, as_json: Json = False) -> None:
    """Write a consistent copy of the database, also while FluenzR runs."""
    with refusals_in_words():
        settings = load_settings()
        size = backups.backup(settings, file)
        note = "" if settings.secret_key else f"; keep {settings.data_dir / 'secret.key'} in a safe place too"
        answer({"file": str(file), "bytes": size}, as_json=as_json, lines=(f"{file}: {size:,} bytes{note}",))


def restore(file: Path, as_json: Json = False) -> None:
    """Put a backup in the database's place; nothing leaves before `fluenzr release`."""
    with refusals_in_words():
        settings = load_settings()
        backups.restore(settings, file)
        answer(
            {"restored": str(file), "held": True},
            as_json=as_json,
            lines=(f"{file} is in place. Everything due waits; look it over, then run: fluenzr release",),
        )


def release(as_json: Json = False) -> None:
    """Let mail leave again after a restore or a long stand-still."""
    with refusals_in_words(), open_installation() as (settings, db, _):
        with db.transaction() as session:
            held = generation.release(session, settings.data_dir, utc_now())
        data = {"released": held is not None, "reason": None if held is None else held.reason}
        answer(data, as_json=as_json, lines=("released" if held else "nothing was held",))


def doctor(
    workspace: Annotated[str | None, typer.Option("--workspace", help="id or name; all of them if not given")] = None,
    as_json: Json = False,
) -> None:
    """Look at configuration, database, keys, figures, and what stands still; exit with 1 if anything is wrong."""
    with refusals_in_words():
        findings = examine(workspace)
        wrong = [finding for finding in findings if finding.level == "error"]
        answer(
            {"ok": not wrong, "findings": [finding.to_json() for finding in findings]},
            as_json=as_json,
            lines=tuple(line for finding in findings for line in finding.lines()),
        )
        if wrong:
            raise typer.Exit(1)


@stats_app.command("verify")
def verify_stats(as_json: Json = False) -> None:
    """Compare every kept figure with a recount of the events; exit with 1 on a difference."""
    with refusals_in_words(), open_installation() as (_, db, _keyring):
        with db.read() as session:
            drifts = figures.verify(session)
        answer(
            {"equal": not drifts, "drifts": [str(drift) for drift in drifts]},
            as_json=as_json,
            lines=tuple(str(drift) for drift in drifts) or ("every figure equals its recount",),
        )
        if drifts:
            raise typer.Exit(1)


@stats_app.command("rebuild")
def rebuild_stats(as_json: Json = False) -> None:
    """Write every figure anew from the events."""
    with refusals_in_words(), open_installation() as (_, db, _keyring):
        with db.transaction() as session:
            drifts = figures.rebuild(session)
        answer({"repaired": len(drifts)}, as_json=as_json)


secrets_app = typer.Typer(help="The sealing of stored secrets.", no_args_is_help=True)


@secrets_app.command("rotate")
def rotate_secrets(
    new_key_file: Annotated[Path, typer.Option("--new-key-file", help="holds the key to seal with from now on")],
    as_json: Json = False,
) -> None:
    """Seal every stored secret with another key; put that key in force right after."""
    from fluenzr_app.workspaces.secrets import reseal_all

    with refusals_in_words(), open_installation() as (_, db, old):
        if not new_key_file.is_file():
            raise CommandRefused(f"there is no file {new_key_file}")
        new = KeyRing(new_key_file.read_bytes().strip())
        with db.transaction() as session:
            count = reseal_all(session, old, new, utc_now())
        words = f"{count} secrets sealed anew; put {new_key_file} in force before the next start"
        answer({"resealed": count}, as_json=as_json, lines=(words,))
