"""`/downloads`: exports and error files, for the signed-in person's own workspace only."""

import json
from collections.abc import Iterator
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse
from sqlmodel import Session

from fluenzr_app.api.cookies import Person, from_our_page
from fluenzr_app.api.refusals import invalid
from fluenzr_app.contacts import imports
from fluenzr_app.contacts.export import export_csv
from fluenzr_app.contacts.field_names import STATUSES
from fluenzr_app.contacts.listing import ContactFilter
from fluenzr_app.db.ids import BadPublicId, parse_public_id
from fluenzr_app.diagnosis.support import support_document
from fluenzr_app.inbox.person_export import person_document
from fluenzr_app.logs import last_warnings
from fluenzr_app.words.catalogue import Lang
from fluenzr_app.workspaces import audit
from fluenzr_app.workspaces.identity import require_admin

router = APIRouter(prefix="/downloads", dependencies=[Depends(from_our_page)])

_Text = Annotated[str, Query(max_length=200)]


@router.get("/contacts.csv")
async def contacts(
    person: Person,
    q: _Text = "",
    status: _Text = "-archived",
    group: _Text = "",
    tag: _Text = "",
    company: _Text = "",
    city: _Text = "",
    country: _Text = "",
    domain: _Text = "",
    language: _Text = "",
    consent: _Text = "",
    imported: _Text = "",
    bom: bool = False,
) -> Response:
    """Send the contacts that the list shows under the same address parameters, as CSV; noted in the audit log.

    `status` holds codes parted by commas, all of them refused after a leading “-”, or `any`.
    """
    filters = ContactFilter(
        query=q,
        statuses=_statuses(status),
        group_ids=tuple(_key("grp", text, "group") for text in _parts(group)),
        tags=_parts(tag),
        company=company,
        city=city,
        country=country,
        domain=domain,
        language=language,
        consent_source=consent,
        import_id=_key("imp", imported, "imported") if imported else None,
    )
    runtime = person.runtime

    def note(session: Session) -> None:
        audit.record(session, person.identity, person.workspace_id, "contacts.exported", "", None, person.now)

    await runtime.database.run(runtime.database.transact, note)
    name = f"contacts-{person.now:%Y-%m-%d}.csv"
    return _csv(export_csv(runtime.database, person.workspace_id, filters, bom=bom), name)


@router.get("/contacts/{contact_id}/person.json")
async def person_json(contact_id: str, person: Person) -> Response:
    """Send all that is known about one contact, as JSON; noted in the audit log."""
    key, runtime = parse_public_id("con", contact_id), person.runtime

    def ask() -> bytes:
        with runtime.database.read() as session:
            document = person_document(session, person.workspace_id, key, person.now)
        return json.dumps(document, ensure_ascii=False, indent=1).encode()

    def note(session: Session) -> None:
        audit.record(session, person.identity, person.workspace_id, "contact.exported", contact_id, None, person.now)

    content = await runtime.database.run(ask)
    await runtime.database.run(runtime.database.transact, note)
    headers = _attachment(f"{contact_id}-{person.now:%Y-%m-%d}.json")
    return Response(content, media_type="application/json", headers=headers)


@router.get("/imports/{import_id}/errors.csv")
async def import_errors(import_id: str, person: Person, bom: bool = False) -> Response:
    """Send the faulty rows of an import, ready to be corrected and imported again."""
    key, runtime = parse_public_id("imp", import_id), person.runtime

    def ask() -> tuple[Iterator[bytes], str]:
        with runtime.database.read() as session:
            view = imports.get_import(session, person.workspace_id, key)
            lines = imports.error_file(
                session, runtime.settings.data_dir, person.workspace_id, key,
                language=person.identity.language, bom=bom,
            )  # fmt: skip
        return lines, view.file_name

    lines, name = await runtime.database.run(ask)
    return _csv(lines, f"{name.rpartition('.')[0] or name}-errors.csv")


@router.get("/support.json")
async def support(
    person: Person,
    describe: Annotated[str, Query(max_length=4_000)] = "",
    steps: Annotated[str, Query(max_length=4_000)] = "",
) -> Response:
    """Send an admin what somebody who helps has to know, without secrets, mails or people; noted in the audit log."""
    require_admin(person.identity)
    runtime = person.runtime
    lang: Lang = "fr" if person.identity.language == "fr" else "en"

    def ask() -> bytes:
        warnings = last_warnings(runtime.settings.data_dir)
        with runtime.database.read() as session:
            document = support_document(
                session, runtime.settings, person.workspace_id, person.now, runtime.wall_now(),
                description=describe, steps=steps, lang=lang, warnings=warnings,
            )  # fmt: skip
        return json.dumps(document, ensure_ascii=False, indent=1).encode()

    def note(session: Session) -> None:
        audit.record(session, person.identity, person.workspace_id, "support.fetched", "", None, person.now)

    content = await runtime.database.run(ask)
    await runtime.database.run(runtime.database.transact, note)
    headers = _attachment(f"fluenzr-support-{person.now:%Y-%m-%d}.json")
    return Response(content, media_type="application/json", headers=headers)


def _csv(lines: Iterator[bytes], name: str) -> Response:
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=_attachment(name))


def _attachment(name: str) -> dict[str, str]:
    plain = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "-_.") else "_" for sign in name)
    # RFC 6266, 4.3: a plain name for all, the exact one for whoever reads the extended form.
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    return {"content-disposition": disposition, "cache-control": "no-store"}


def _statuses(text: str) -> tuple[str, ...]:
    if text == "any":
        return ()
    named = _parts(text.removeprefix("-"))
    if not set(named) <= set(STATUSES):
        raise invalid("status", f"A status is one of {', '.join(STATUSES)}.", "unknown_status")
    return tuple(code for code in STATUSES if code not in named) if text.startswith("-") else named


def _parts(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part for part in text.split(",") if part))


def _key(prefix: str, text: str, field: str) -> int:
    try:
        return parse_public_id(prefix, text)
    except BadPublicId as error:
        raise invalid(field, str(error), "unknown_id") from None
