"""The HTTP application: three front doors and the one for other systems, wired to one house."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread
from fastapi import FastAPI

from api import metrics, problems, static
from api.base_map import BaseMap
from api.customer import certificate as customer_certificate
from api.customer import endpoints as customer
from api.customer import manager as customer_manager
from api.customer import pages as customer_pages
from api.dispatcher import bulk as dispatcher_bulk
from api.dispatcher import endpoints as dispatcher
from api.dispatcher import field as dispatcher_field
from api.dispatcher import matching as dispatcher_matching
from api.dispatcher import operations as dispatcher_operations
from api.dispatcher import promises as dispatcher_promises
from api.dispatcher import proof as dispatcher_proof
from api.dispatcher import proof_reads as dispatcher_proof_reads
from api.dispatcher import stock as dispatcher_stock
from api.dispatcher import telling as dispatcher_telling
from api.dispatcher import webhooks as dispatcher_webhooks
from api.engineer import endpoints as engineer
from api.house import Rooms
from api.integrations import endpoints as integrations
from api.integrations import wecom
from api.live import LiveHub
from api.places import Places
from api.shedding import Shedding
from api.shortcut import Shortcut
from api.signin import Doorkeeper
from dispatch.actions.step import House
from dispatch.adapters.photos import PhotoWorker
from dispatch.adapters.roads import RoadTimes
from dispatch.adapters.sms import HttpSms, KeptSms, SmsSender
from dispatch.adapters.storage import BlobStore, FolderStore
from dispatch.settings import Settings, read_settings
from dispatch.store.personal import PersonalData
from dispatch.store.transactions import Database

JSON_BYTES = 1024 * 1024
PHOTO_BYTES = 51 * 1024 * 1024


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application of one process; settings from the environment where none are given."""
    settings = settings or read_settings()
    database = Database(settings.database_url, settings.api_pool, "paidan-api")
    roads = RoadTimes(settings.roads_dir)
    house = House(
        database, settings.clock.now, PersonalData(settings.data_key, *settings.previous_data_keys), roads
    )
    secure = settings.public_url.startswith("https://")
    doorkeeper = Doorkeeper(
        database, settings.secret_key, secure, house.now, previous_keys=settings.previous_secret_keys
    )
    photos = PhotoWorker()
    app = FastAPI(
        title="Paidan",
        version="1",
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
    )
    app.state.settings = settings
    app.state.database = database
    app.state.doorkeeper = doorkeeper
    app.state.photos = photos
    app.state.places = Places(settings.maps_dir)
    app.state.base_map = BaseMap(settings.maps_dir)
    app.state.live = LiveHub(settings.database_url, doorkeeper.forget)
    app.state.rooms = Rooms(
        settings, house, doorkeeper, photos, blob_store(settings), app.state.places, sms_sender(settings)
    )
    app.state.live.shown = app.state.rooms.position_shown
    app.add_middleware(Shedding, slots=settings.api_pool, wait_s=settings.api_wait_s)
    app.add_middleware(problems.Limits, most_bytes=JSON_BYTES, photo_bytes=PHOTO_BYTES, secure=secure)
    app.add_middleware(metrics.Counted, folder=metrics.folder_of(settings))
    problems.install(app)
    for router in (
        engineer.endpoints,  # first: its routes are asked for most
        static.endpoints,
        metrics.endpoints,
        dispatcher_operations.endpoints,
        dispatcher.endpoints,
        dispatcher_matching.endpoints,
        dispatcher_bulk.endpoints,
        dispatcher_field.endpoints,
        dispatcher_promises.endpoints,
        dispatcher_telling.endpoints,
        dispatcher_webhooks.endpoints,
        wecom.endpoints,
        dispatcher_proof.endpoints,
        dispatcher_proof_reads.endpoints,
        dispatcher_stock.endpoints,
        customer.endpoints,
        customer.requests,
        customer_pages.pages,
        customer_manager.pages,
        customer_certificate.pages,
        integrations.endpoints,
    ):
        app.include_router(router)
    app.router.routes.insert(0, Shortcut(engineer.endpoints, "engineer_today"))
    static.install_pages(app)
    return app


def sms_sender(settings: Settings) -> SmsSender | None:
    """The gateway where one is named; the demo keeps what it would send; otherwise nothing is sent."""
    if settings.sms_url:
        return HttpSms(settings.sms_url, settings.sms_token)
    return KeptSms() if settings.demo else None


def blob_store(settings: Settings) -> BlobStore:
    """The folder, or the bucket where one is named."""
    if not settings.photos_s3_bucket:
        return FolderStore(settings.photos_dir)
    from dispatch.adapters.storage_s3 import S3Store, s3_client

    client = s3_client(
        endpoint_url=settings.photos_s3_endpoint or None,
        region=settings.photos_s3_region,
        access_key=None,
        secret_key=None,
    )
    return S3Store(settings.photos_s3_bucket, client)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Threads as many as connections, so that nobody waits for one with the other in hand."""
    anyio.to_thread.current_default_thread_limiter().total_tokens = app.state.settings.api_pool
    app.state.live.start()
    yield
    await app.state.live.stop()
    app.state.photos.close()
    app.state.database.close()
