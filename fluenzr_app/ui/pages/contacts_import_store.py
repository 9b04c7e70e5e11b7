"""What the pages of an import ask of the rooms, each in one transaction."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlmodel import Session

from fluenzr_app.contacts import imports, labels
from fluenzr_app.contacts.custom_fields import list_custom_fields
from fluenzr_app.contacts.custom_values import FieldDefinition
from fluenzr_app.contacts.import_options import ImportOptions
from fluenzr_app.contacts.import_views import ImportView
from fluenzr_app.contacts.service import archive_import
from fluenzr_app.db.ids import public_id
from fluenzr_app.ui.guard import Acting
from fluenzr_app.workspaces import audit

Found = tuple[ImportView, tuple[FieldDefinition, ...], tuple[labels.GroupLine, ...], tuple[labels.TagLine, ...]]


def with_choices(session: Session, workspace_id: int, view: ImportView) -> Found:
    """Return an import with what its columns and contacts can become."""
    return (
        view,
        tuple(list_custom_fields(session, workspace_id)),
        labels.list_groups(session, workspace_id),
        labels.list_tags(session, workspace_id),
    )


def read(session: Session, workspace_id: int, import_id: int) -> Found:
    """Return an import with its choices; raises ImportNotFound."""
    return with_choices(session, workspace_id, imports.get_import(session, workspace_id, import_id))


def change(session: Session, workspace_id: int, import_id: int, how: Any, *arguments: Any) -> Found:
    """Do `how` to an import and return it as it is then."""
    return with_choices(session, workspace_id, how(session, workspace_id, import_id, *arguments))


def reread(me: Acting, import_id: int, how: dict[str, Any]) -> Found:
    """Read the file again the way `how` says; raises FileRefused, NoHeader, ImportNotReady."""
    database = me.runtime.database
    view = imports.reread(database, me.runtime.settings.data_dir, me.workspace_id, import_id, **how)
    with database.read() as session:
        return with_choices(session, me.workspace_id, view)


def preview(me: Acting, import_id: int) -> Found:
    """Check every row of the file; raises FileRefused, ImportNotReady, InvalidValue."""
    place = me.runtime
    view = imports.preview(place.database, place.settings.data_dir, place.keyring, me.workspace_id, import_id)
    with place.database.read() as session:
        return with_choices(session, me.workspace_id, view)


def start(session: Session, me: Acting, import_id: int, certified: bool) -> None:
    """Set an import running and note who certified the consent."""
    view = imports.start(session, me.workspace_id, import_id, me.now, consent_certified=certified)
    data = {"file": view.file_name, "rows": view.rows_total, "consent": view.options.consent_source}
    audit.record(session, me.identity, me.workspace_id, "import.started", public_id("imp", import_id), data, me.now)


def take_back(session: Session, me: Acting, import_id: int) -> int:
    """Archive what an import created and return how many contacts that were."""
    imports.get_import(session, me.workspace_id, import_id)
    archived = archive_import(session, me.workspace_id, import_id, me.now)
    audit.record(
        session,
        me.identity,
        me.workspace_id,
        "import.archived",
        public_id("imp", import_id),
        {"count": archived},
        me.now,
    )
    return archived


def set_repair(session: Session, workspace_id: int, import_id: int, repair: bool) -> ImportView:
    """Repair damaged accents from now on, or leave them; the other options stay."""
    options = imports.get_import(session, workspace_id, import_id).options
    return imports.set_options(session, workspace_id, import_id, replace(options, repair=repair))


def set_choices(session: Session, workspace_id: int, import_id: int, options: ImportOptions) -> ImportView:
    """Keep the options of the form; whether accents are repaired stays as it is."""
    repair = imports.get_import(session, workspace_id, import_id).options.repair
    return imports.set_options(session, workspace_id, import_id, replace(options, repair=repair))
