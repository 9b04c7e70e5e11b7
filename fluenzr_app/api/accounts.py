"""`/v1/accounts`: connect a mailbox by SMTP, list, read (api.md)."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Response
from sqlmodel import Session

from fluenzr_app.accounts import errors, service
from fluenzr_app.accounts.form import check_form
from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.accounts.probing import connect_probed, probe_form
from fluenzr_app.api.account_shapes import AccountGiven, AccountShape, account_shape, api_field
from fluenzr_app.api.caller import Asked
from fluenzr_app.api.envelope import Answer, ApiError, Envelope, ListEnvelope, json_response, page_meta
from fluenzr_app.api.paging import Paged
from fluenzr_app.api.refusals import Translate, by_code, camel, not_found
from fluenzr_app.db.ids import parse_public_id
from fluenzr_app.inbox.reading import readings
from fluenzr_app.sending.caps import usage

router = APIRouter(prefix="/accounts", tags=["accounts"])

_SORTS: Mapping[str, Callable[[EmailAccount], Any]] = {
    "createdAt": lambda account: account.created_at,
    "updatedAt": lambda account: account.updated_at,
    "email": lambda account: account.email_key,
    "displayName": lambda account: account.display_name.casefold(),
    "status": lambda account: account.status,
}


@router.get("", response_model=ListEnvelope[AccountShape])
async def list_(caller: Asked, page: Paged) -> Response:
    """List the connected mailboxes."""
    sort = _SORTS[page.column({name: name for name in _SORTS})]

    def ask(session: Session) -> Answer:
        # All of them: a workspace connects some dozens, and the order may be by any column.
        accounts = list(service.list_accounts(session, caller.workspace_id))
        accounts.sort(key=lambda account: (sort(account), account.id), reverse=page.order == "desc")
        shown = accounts[page.offset : page.offset + page.per_page]
        shapes = _shapes(session, caller.workspace_id, shown, caller.now)
        return Answer(shapes, meta=page_meta(page.number, page.per_page, len(accounts)))

    return json_response((await caller.read(ask)).body())


@router.post("", status_code=201, response_model=Envelope[AccountShape])
async def create(given: AccountGiven, caller: Asked) -> Response:
    """Connect a mailbox by SMTP. Its servers are tried first, with a message to the mailbox itself.

    `meta.probe` holds the stages; the account is kept in either case, in error where a stage failed for good.
    """
    form = given.form()
    checked = check_form(form)

    async def act() -> Answer:
        runtime = caller.runtime
        if await caller.read(lambda session: service.is_connected(session, checked.address.address)):
            raise errors.AddressInUse(checked.address.address)
        stages = [stage async for stage in probe_form(form, runtime.settings, runtime.now(), language="en")]

        def store(session: Session) -> Answer:
            account = connect_probed(
                session, runtime.keyring, caller.workspace_id, form, stages, runtime.now(), runtime.rng,
                actor=caller.key,
            )  # fmt: skip
            probe = [stage.to_json("en") for stage in stages]
            (shape,) = _shapes(session, caller.workspace_id, [account], runtime.now())
            return Answer(shape, 201, {"probe": probe})

        return await caller.in_transaction(store)

    return await caller.write_in_steps(act)


@router.get("/{account_id}", response_model=Envelope[AccountShape])
async def get(account_id: str, caller: Asked) -> Response:
    """Read a connected mailbox."""
    key = parse_public_id("acc", account_id)

    def ask(session: Session) -> Answer:
        account = service.get_account(session, caller.workspace_id, key)
        (shape,) = _shapes(session, caller.workspace_id, [account], caller.now)
        return Answer(shape)

    return json_response((await caller.read(ask)).body())


def _shapes(session: Session, workspace_id: int, accounts: Sequence[EmailAccount], now: datetime) -> list[AccountShape]:
    read = {view.account_id: view for view in readings(session, workspace_id)}
    return [
        account_shape(account, usage(session, account.id, now).day, read.get(account.id))
        for account in accounts
        if account.id is not None
    ]


def _form(error: errors.BadAccountForm) -> ApiError:
    details = [
        {
            "field": api_field(fault.field),
            "code": fault.code,
            "message": fault.message,
            "params": camel(dict(fault.params)),
        }
        for fault in error.faults
    ]
    return ApiError(400, "VALIDATION_ERROR", str(error), details)


REFUSALS: Sequence[tuple[type[Exception], Translate]] = (
    (errors.UnknownAccount, not_found),
    (errors.AddressInUse, by_code(409)),
    (errors.BadAccountForm, _form),
    (errors.AccountsError, by_code(400)),
)
