"""The limit of `track`: a bare Starlette route with the same bytes, in the same kind of server process.

`python -m fluenzr_app.bench.bare_pixel` listens where the settings say.
"""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fluenzr_app import server
from fluenzr_app.api.track import PIXEL
from fluenzr_app.settings import load_settings


async def _pixel(_request: Request) -> Response:
    return Response(PIXEL, media_type="image/gif")


def main() -> None:
    """Serve until a stop signal."""
    server.serve(load_settings(_env_file=None), Starlette(routes=[Route("/o/{token}", _pixel)]))


if __name__ == "__main__":
    main()
