"""The application of the window: its pages, the camera, and the service for programs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from emorank.study.readers import ranks_at_hand
from emorank.web.decoders import LIMITS
from emorank.web.desk import Desk
from emorank.web.safety import Guard, Origins, Rules
from emorank.web.service.service import PROGRAMS, Service
from emorank.web.window import camera, pages
from emorank.web.window.readings import Readings

RULES = Rules(
    max_body=LIMITS.bytes,
    held=8 * LIMITS.bytes,
    programs=(PROGRAMS,),
    sockets=frozenset({camera.PATH}),
    own_pictures=True,
)


def make_app(
    desk: Desk, origins: Origins, rank: str | None = None, keep: Path | None = None
) -> Guard:
    """The application that reads faces with the network of a desk, behind its guard.

    `rank` is the one that the page goes by, None for the default; a face that is looked at has all
    that there are. Pictures that the page has read are stored in the folder `keep`, if any.

    Raises:
        AccessError: others can reach it and there is no key, or the keys cannot be read.
        PlanError: there is no such rank.
        StudyError: the study lacks what the rank needs.
        WeightsError: a file of weights of the study is damaged.
    """
    service = Service(desk, origins)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        desk.close()

    app = FastAPI(
        title="emorank", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan
    )
    app.state.desk, app.state.origins = desk, origins
    service.join(app)
    app.state.readings = Readings(desk, ranks_at_hand(desk.study, desk.network, rank), keep)
    app.state.cameras = camera.Cameras()
    app.include_router(pages.router)
    app.include_router(camera.router)
    for path, package in (("/static/window", "emorank.web.window"), ("/static", "emorank.web")):
        app.mount(path, StaticFiles(directory=str(files(package) / "static")))
    return Guard(app, origins, RULES, service)
