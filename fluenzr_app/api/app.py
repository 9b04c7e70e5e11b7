"""The API application: public routes, cookie routes, and `/v1` behind its gate. Pages are mounted under it."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from fluenzr_app.api import (
    accounts,
    audience,
    campaigns,
    contacts,
    conversations,
    demo_entry,
    diagnoses,
    downloads,
    health,
    inbox_files,
    pipeline,
    preferences,
    reference,
    refusals,
    sign_in,
    unsubscribe,
    uploads,
)
from fluenzr_app.api.demo_entry import DemoEntry
from fluenzr_app.api.envelope import ErrorEnvelope
from fluenzr_app.api.key_gate import KeyGate
from fluenzr_app.api.runtime import ApiRuntime
from fluenzr_app.api.shell import Catch, Shell
from fluenzr_app.api.track import TrackedLinks
from fluenzr_app.workspaces.rate_limit import RateLimit

VERSION = "1"
# Every status that a call may answer with, all in the envelope (api.md).
_REFUSALS = (400, 401, 403, 404, 405, 409, 413, 415, 429, 500)


def create_api(
    runtime: ApiRuntime,
    demo: DemoEntry | None = None,
    links: TrackedLinks | None = None,
    rate_limit: RateLimit | None = None,
) -> FastAPI:
    """Return the application with every route of the product but the pages; `demo` adds those of the demonstration.

    `links` are those that the gate asks already, when there is one; `rate_limit` is the one that the pages show.

    Its lifespan is never run when pages are mounted under it, so that it needs none.
    """
    app = FastAPI(title="FluenzR", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.runtime = runtime
    refusals.install(app, _room_refusals())
    for router in (
        health.router,
        sign_in.router,
        unsubscribe.router,
        preferences.router,
        uploads.router,
        downloads.router,
        inbox_files.router,
    ):
        app.include_router(router)
    app.router.routes.extend((links or TrackedLinks(runtime)).routes())
    if demo is not None:
        app.include_router(demo_entry.create_router(demo))
    v1 = create_v1(runtime, rate_limit or RateLimit(runtime.settings.api_rate_limit, runtime.settings.redis_url))
    app.mount("/v1", v1)
    app.mount("/api/v1", v1)
    app.add_middleware(Shell, https=runtime.settings.is_https)
    return app


def create_v1(runtime: ApiRuntime, rate_limit: RateLimit) -> FastAPI:
    """Return the REST API alone, as it is mounted under `/v1` and `/api/v1`."""
    app = FastAPI(
        title="FluenzR API",
        version=VERSION,
        description=reference.INTRODUCTION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        servers=[{"url": f"{runtime.settings.public_url}/v1"}],
        root_path_in_servers=False,
        responses={status: {"model": ErrorEnvelope} for status in _REFUSALS},
    )
    app.state.runtime = runtime
    refusals.install(app, _room_refusals())
    for router in _resources():
        app.include_router(router)
    _add_reference(app)
    app.add_middleware(KeyGate, runtime=runtime, rate_limit=rate_limit)
    app.add_middleware(Catch)
    return app


def _resources() -> Sequence[APIRouter]:
    return (
        contacts.router,
        pipeline.router,
        accounts.router,
        campaigns.router,
        audience.router,
        conversations.router,
        diagnoses.router,
    )


def _room_refusals() -> Sequence[tuple[type[Exception], refusals.Translate]]:
    return (*contacts.REFUSALS, *accounts.REFUSALS, *campaigns.REFUSALS, *conversations.REFUSALS, *diagnoses.REFUSALS)


def _add_reference(app: FastAPI) -> None:
    @app.get("/openapi.json", include_in_schema=False)
    def openapi() -> JSONResponse:
        return JSONResponse(describe(app))

    @app.get("/docs", include_in_schema=False)
    def docs(_request: Request) -> Response:
        return HTMLResponse(reference.render(describe(app)), headers={"content-security-policy": reference.POLICY})


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document, with the way to sign in and without the 422 that is never answered."""
    document = app.openapi()
    document.setdefault("components", {})["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"key": []}]
    for methods in document["paths"].values():
        for operation in methods.values():
            operation["responses"].pop("422", None)
    for unused in ("HTTPValidationError", "ValidationError"):
        document["components"].get("schemas", {}).pop(unused, None)
    return document
