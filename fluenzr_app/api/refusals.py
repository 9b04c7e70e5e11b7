"""The rooms' errors as answers: here, and only here, does a refusal get an HTTP status."""

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from fluenzr_app.api.envelope import ApiError
from fluenzr_app.db.ids import BadPublicId
from fluenzr_app.workspaces import errors as workspaces

Translate = Callable[[Any], ApiError]

NOT_FOUND = "There is no such thing in this workspace."
_HTTP_CODES = {
    400: "VALIDATION_ERROR",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    409: "CONFLICT",
    413: "PAYLOAD_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    429: "RATE_LIMITED",
}
_HTTP_WORDS = {
    404: "There is nothing at this address.",
    405: "This address does not take this method.",
}
_MISSING = {"missing": "This field is required.", "extra_forbidden": "There is no such field."}


def not_found(_error: Exception | None = None) -> ApiError:
    """Return the answer for what is not there, or is another workspace's: alike, so that ids cannot be tried out."""
    return ApiError(404, "NOT_FOUND", NOT_FOUND)


def invalid(field: str, message: str, code: str = "invalid", **more: Any) -> ApiError:
    """Return the answer for one field that cannot be taken."""
    return ApiError(400, "VALIDATION_ERROR", message, [{"field": field, "code": code, "message": message, **more}])


def by_code(status: int) -> Translate:
    """Return a translation that keeps the error's own code, in capitals, and its details."""

    def translate(error: Any) -> ApiError:
        return ApiError(status, error.code.upper(), str(error), camel(error.details) or None)

    return translate


def camel(value: Any) -> Any:
    """Return `value` with the names in it in camelCase."""
    if isinstance(value, dict):
        return {_camel_name(key): camel(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [camel(part) for part in value]
    return value


def install(app: FastAPI, more: Sequence[tuple[type[Exception], Translate]] = ()) -> None:
    """Make `app` answer every refusal in the envelope."""
    table: list[tuple[type[Exception], Translate]] = [
        (BadPublicId, not_found),
        (workspaces.IdempotencyConflict, by_code(409)),
        (workspaces.IdempotencyInProgress, _in_progress),
        (workspaces.NotAllowed, lambda error: ApiError(403, "FORBIDDEN", str(error))),
        (workspaces.Throttled, _throttled),
        (workspaces.WorkspacesError, by_code(400)),
        *more,
    ]
    for kind, translate in table:
        app.add_exception_handler(kind, _handler(translate))
    app.add_exception_handler(ApiError, _handler(lambda error: error))
    app.add_exception_handler(HTTPException, _handler(_http))
    app.add_exception_handler(RequestValidationError, _handler(_validation))


def _handler(translate: Translate) -> Callable[[Request, Exception], Response]:
    def handle(_request: Request, error: Exception) -> Response:
        return translate(error).response()

    return handle


def _http(error: HTTPException) -> ApiError:
    status = error.status_code
    words = _HTTP_WORDS.get(status, str(error.detail))
    code = _HTTP_CODES.get(status, "ERROR")
    return ApiError(status, code, words, headers=dict(error.headers or {}))


def _validation(error: RequestValidationError) -> ApiError:
    faults = [_fault(fault) for fault in error.errors()[:50]]
    first = faults[0] if faults else {"field": "", "message": "The request is not valid."}
    words = f"{first['field']}: {first['message']}" if first["field"] else first["message"]
    return ApiError(400, "VALIDATION_ERROR", words, faults)


def _fault(fault: Any) -> dict[str, str]:
    # The first part says body, query or path; a field may bear such a name itself.
    place = [str(part) for part in fault["loc"][1:]]
    message = _MISSING.get(fault["type"], fault["msg"].removeprefix("Value error, "))
    return {"field": ".".join(place), "code": fault["type"], "message": message}


def _in_progress(error: workspaces.IdempotencyInProgress) -> ApiError:
    return ApiError(409, error.code.upper(), str(error), headers={"retry-after": "2"})


def _throttled(error: workspaces.Throttled) -> ApiError:
    return ApiError(429, "RATE_LIMITED", str(error), {"until": error.until})


def _camel_name(name: str) -> str:
    first, *rest = str(name).split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)
