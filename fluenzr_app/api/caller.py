"""A program that asks with an API key, and how its request reads and writes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, TypeVar

from fastapi import Depends, Request, Response
from sqlmodel import Session

from fluenzr_app.api.envelope import Answer, json_response
from fluenzr_app.api.runtime import ApiRuntime
from fluenzr_app.workspaces import idempotency
from fluenzr_app.workspaces.api_keys import KeyIdentity
from fluenzr_app.workspaces.idempotency import StoredAnswer

T = TypeVar("T")
REPLAYED = {"idempotent-replayed": "true"}


@dataclass(frozen=True, slots=True)
class Caller:
    """One request of one key; `print_` tells it from another request under the same idempotency key."""

    runtime: ApiRuntime
    key: KeyIdentity
    now: datetime
    idempotency_key: str
    print_: str

    @property
    def workspace_id(self) -> int:
        """The workspace to which every query of this request is limited."""
        return self.key.workspace_id

    async def read(self, ask: Callable[[Session], T]) -> T:
        """Return `ask(session)`, run in a thread on a session that only reads."""

        def in_thread() -> T:
            with self.runtime.database.read() as session:
                return ask(session)

        return await self.runtime.database.run(in_thread)

    async def write(self, act: Callable[[Session], Answer]) -> Response:
        """Answer with what `act(session)` did, in one transaction, or with what was answered to this key before.

        The answer is stored in the transaction of the change: a crash leaves both or neither.
        """

        def once(session: Session) -> tuple[StoredAnswer, bool]:
            before = self._claim(session)
            if before is not None:
                return before, True
            return self._store(session, act(session)), False

        stored, replayed = await self.in_transaction(once)
        return _response(stored, replayed)

    async def write_in_steps(self, act: Callable[[], Awaitable[Answer]]) -> Response:
        """Answer with what `act()` did; it opens transactions of its own, for what is long or asks the network.

        The idempotency key is claimed first and given back when the request was refused.
        """
        before = await self.in_transaction(self._claim)
        if before is not None:
            return _response(before, True)
        try:
            answer = await act()
        except BaseException:
            await self.in_transaction(self._release)
            raise
        stored = await self.in_transaction(lambda session: self._store(session, answer))
        return _response(stored, False)

    async def in_transaction(self, act: Callable[[Session], T]) -> T:
        """Return `act(session)`, run in a thread in one transaction, tried again when it was a deadlock's victim."""
        return await self.runtime.database.run(self.runtime.database.transact, act)

    def _claim(self, session: Session) -> StoredAnswer | None:
        if not self.idempotency_key:
            return None
        return idempotency.claim(
            session, self.runtime.keyring, self.key.key_id, self.idempotency_key, self.print_, self.runtime.wall_now()
        )

    def _store(self, session: Session, answer: Answer) -> StoredAnswer:
        stored = StoredAnswer(answer.status, answer.body())
        if self.idempotency_key:
            idempotency.store(
                session, self.runtime.keyring, self.key.key_id, self.idempotency_key, stored, self.runtime.wall_now()
            )
        return stored

    def _release(self, session: Session) -> None:
        if self.idempotency_key:
            idempotency.release(session, self.key.key_id, self.idempotency_key)


def _response(stored: StoredAnswer, replayed: bool) -> Response:
    return json_response(stored.body, stored.status, REPLAYED if replayed else None)


def caller_of(request: Request) -> Caller:
    """Return who asks; the gate before the routes has put it there, or the request would not be here."""
    caller: Caller = request.state.caller
    return caller


Asked = Annotated[Caller, Depends(caller_of)]
