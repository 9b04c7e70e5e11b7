"""`/uploads`: files come in here, streamed and bounded; never through the pages' own upload (platform.md, Users)."""

import asyncio
import contextvars
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as ReadTimeout
from typing import Final
from urllib.parse import unquote

from fastapi import APIRouter, Depends, Request, Response
from starlette.requests import ClientDisconnect

from fluenzr_app.api.cookies import Person, SignedIn, from_our_page
from fluenzr_app.api.envelope import Answer, ApiError, Shape, json_response
from fluenzr_app.contacts import imports
from fluenzr_app.contacts.import_views import ImportView
from fluenzr_app.db.ids import public_id

router = APIRouter(prefix="/uploads", dependencies=[Depends(from_our_page)])

# A browser that sends nothing for so long is gone; a slow line still sends something.
SILENCE_S: Final = 60.0
# How many files come in at once; further ones wait.
_THREADS: Final = ThreadPoolExecutor(8, "upload")


class UploadedShape(Shape):
    """The draft of an import, made of the file."""

    id: str
    file_name: str
    file_bytes: int
    rows: int


@router.post("/imports", status_code=201)
async def upload_import(request: Request, person: Person) -> Response:
    """Take a CSV file as the plain body, its name percent-encoded in `X-File-Name`; answer with the draft's id.

    Over the bound the answer is 413, at once where the length is announced, else as soon as it is passed.
    """
    bound = person.runtime.settings.upload_max_bytes
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced[:19]) > bound:
        raise _too_large(bound)
    name = unquote(request.headers.get("x-file-name", ""))[:255].replace("\0", "") or "contacts.csv"
    view = await _stored(request, person, name)
    shape = UploadedShape(
        id=public_id("imp", view.id), file_name=view.file_name, file_bytes=view.file_bytes, rows=view.rows_total
    )
    return json_response(Answer(shape).body(), 201)


async def _stored(request: Request, person: SignedIn, name: str) -> ImportView:
    runtime, loop = person.runtime, asyncio.get_running_loop()
    stream = request.stream()

    async def next_block() -> bytes | None:
        return await anext(stream, None)

    def blocks() -> Iterator[bytes]:
        while True:
            try:
                block = asyncio.run_coroutine_threadsafe(next_block(), loop).result(SILENCE_S)
            except (ClientDisconnect, ReadTimeout):
                raise ApiError(400, "UPLOAD_INCOMPLETE", "The file did not come in completely. Try again.") from None
            if block is None:
                return
            yield block

    def begin() -> ImportView:
        return imports.begin(
            runtime.database, runtime.settings.data_dir, person.workspace_id, name, blocks(), person.now,
            user_id=person.identity.user_id, most_bytes=runtime.settings.upload_max_bytes,
        )  # fmt: skip

    # In threads of their own: slow lines would keep those that the database, name look-ups and TLS wait for.
    return await loop.run_in_executor(_THREADS, contextvars.copy_context().run, begin)


def _too_large(bound: int) -> ApiError:
    words = f"The file is larger than {bound // (1 << 20)} MB; split it and import the parts."
    return ApiError(413, "PAYLOAD_TOO_LARGE", words, {"limit": bound})
