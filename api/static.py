"""The built pages, the map's layers, and the health of this process."""

import gzip
import os
import re
import secrets
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi import Path as PathValue
from fastapi.responses import FileResponse, RedirectResponse
from pydantic import BaseModel

from api.declared import problems
from api.house import Here, reply
from dispatch.domain.errors import NotFound
from dispatch.store.queries.reading import fetch

WEB = Path(__file__).resolve().parent.parent / "web"

#: Nothing is inline, so that no nonce is needed: scripts and styles are files of our own.
CSP = (
    "default-src 'self'; script-src 'self'; img-src 'self' blob: data:; style-src 'self'; object-src 'none'; "
    "worker-src 'self' blob:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)

endpoints = APIRouter(tags=["service"])
MVT = "application/vnd.mapbox-vector-tile"
_LAYER = re.compile(r"[a-z_]{1,40}")


@endpoints.get("/healthz", operation_id="health", responses=problems())
def health() -> Response:
    """This process answers."""
    return reply({"status": "ok"})


@endpoints.get("/readyz", operation_id="ready", responses=problems(503))
def ready(here: Here) -> Response:
    """This process, `pid`, reaches the database and its tables."""
    with here.house.database.transaction(None) as db:
        fetch(db, "select 1 from directory limit 1", {})
    return reply({"status": "ready", "pid": os.getpid()})


@endpoints.get(
    "/map/{name}.geojson", operation_id="map_layer", responses=problems(404, 422), response_class=Response
)
def map_layer(name: str, here: Here, request: Request) -> Response:
    """A layer of the map, as GeoJSON, compressed once for those who can read it so."""
    if not _LAYER.fullmatch(name):
        raise NotFound("map_layer_unknown", name=name[:40])
    path = here.settings.maps_dir / f"{name}.geojson"
    if not path.is_file():
        raise NotFound("map_layer_unknown", name=name)
    headers = {"Cache-Control": "max-age=3600", "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        path = _compressed(path)
        headers["Content-Encoding"] = "gzip"
    return FileResponse(path, media_type="application/geo+json", headers=headers)


class BaseMapTiles(BaseModel):
    """TileJSON 3.0 of the imported region's map: layers areas (k), buildings, roads (c) and places (k), names n and
    e; bounds are west, south, east, north."""

    tilejson: str
    tiles: list[str]
    minzoom: int
    maxzoom: int
    bounds: list[float]


@endpoints.get(
    "/map/base.json", operation_id="map_base", response_model=BaseMapTiles, responses=problems(404)
)
def map_base(request: Request) -> Response:
    """The map that `./paidan roads import` has drawn."""
    found = request.app.state.base_map.archive()
    if found is None:
        raise NotFound("map_layer_unknown", name="base")
    version, archive = found
    return reply(
        BaseMapTiles(
            tilejson="3.0.0",
            tiles=[f"/map/base/{{z}}/{{x}}/{{y}}.mvt?v={version}"],
            minzoom=archive.min_zoom,
            maxzoom=archive.max_zoom,
            bounds=list(archive.bounds),
        )
    )


Zoom = Annotated[int, PathValue(ge=0, le=22)]
Column = Annotated[int, PathValue(ge=0, lt=1 << 22)]


@endpoints.get(
    "/map/base/{z}/{x}/{y}.mvt",
    operation_id="map_tile",
    response_class=Response,
    responses=problems(404, 422)
    | {200: {"content": {MVT: {}}}, 204: {"description": "Nothing is drawn there."}},
)
def map_tile(z: Zoom, x: Column, y: Column, request: Request) -> Response:
    """One vector tile of it, compressed for those who can read it so."""
    found = request.app.state.base_map.archive()
    if found is None:
        raise NotFound("map_layer_unknown", name="base")
    packed = found[1].packed(z, x, y) if max(x, y) < 1 << z else None
    headers = {"Cache-Control": "max-age=86400", "Vary": "Accept-Encoding"}
    if packed is None:
        return Response(status_code=204, headers=headers)
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(gzip.decompress(packed), media_type=MVT, headers=headers)
    return Response(packed, media_type=MVT, headers=headers | {"Content-Encoding": "gzip"})


def _compressed(path: Path) -> Path:
    """The file's gzip twin beside it, made at the first request and again when the file is newer."""
    twin = path.with_suffix(".geojson.gz")
    if not twin.is_file() or twin.stat().st_mtime < path.stat().st_mtime:
        fresh = path.with_suffix(f".{secrets.token_hex(4)}.new")
        fresh.write_bytes(gzip.compress(path.read_bytes(), 6))
        fresh.replace(twin)
    return twin


def install_pages(app: FastAPI) -> None:
    """/board/ and /phone/: files under dist, hashed ones for good, anything else is the page itself."""
    for page in ("board", "phone"):
        _install_page(app, page)

    @app.get("/", operation_id="static_page", include_in_schema=False)
    def root() -> Response:
        return RedirectResponse("/board/")


def _install_page(app: FastAPI, page: str) -> None:
    dist = (WEB / page / "dist").resolve()

    def serve(path: str = "") -> Response:
        wanted = (dist / path).resolve()
        if path and wanted.is_file() and wanted.is_relative_to(dist):
            forever = path.startswith("assets/")
            cache = "public, max-age=31536000, immutable" if forever else "no-cache"
            return FileResponse(wanted, headers={"Cache-Control": cache, "Content-Security-Policy": CSP})
        index = dist / "index.html"
        if not index.is_file() or path.startswith("assets/"):
            raise NotFound("page_unknown", page=page)
        return FileResponse(index, headers={"Cache-Control": "no-cache", "Content-Security-Policy": CSP})

    async def bare(request: Request) -> Response:
        return RedirectResponse(f"/{page}/")

    for path, endpoint in ((f"/{page}/{{path:path}}", serve), (f"/{page}", bare)):
        handler: Any = endpoint
        app.add_api_route(path, handler, operation_id="static_page", include_in_schema=False, methods=["GET"])
