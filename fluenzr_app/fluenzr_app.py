"""Composition of the pages into one app; `fluenzr_app.server` adds routes and services and serves it."""

import reflex as rx

from fluenzr_app.ui import failures, registry, shell
from fluenzr_app.ui.guard import Guard


def _app() -> rx.App:
    made = rx.App(
        stylesheets=[
            "css/tokens.css",
            "css/frame.css",
            "css/controls.css",
            "css/status.css",
            "css/table.css",
            "css/door.css",
            "css/campaign.css",
            "css/contacts.css",
            "css/inbox.css",
            "css/accounts.css",
            "css/settings.css",
            "css/dashboard.css",
            "css/findings.css",
        ],
        head_components=[
            rx.el.script(src="/boot.js"),
            rx.el.script(src="/frame.js"),
            rx.el.link(rel="icon", href="/favicon.svg", type="image/svg+xml"),
        ],
        app_wraps={
            (55, "ErrorBoundary"): lambda stateful: shell.error_boundary(),
            (5, "Overlay"): lambda stateful: rx.fragment(shell.connection_banner()),
        },
        toaster=rx.toast.provider(position="bottom-right", rich_colors=False, close_button=True),
        html_lang="fr",
        backend_exception_handler=failures.on_backend_failure,
        frontend_exception_handler=failures.on_frontend_failure,
    )
    # Before everything else: nothing is hydrated or handled for somebody else's session.
    made.add_middleware(Guard(), index=0)
    registry.register(made)
    return made


app = _app()
