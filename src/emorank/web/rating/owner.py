"""The owner's page: progress, results so far, invites, export, closing."""

import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Generic, Literal, TypeVar

import numpy as np
from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from emorank.answers.answers_table import ANSWERS, SKIP
from emorank.answers.formats.csv_parquet import write_sheet
from emorank.answers.interchange import write_answers
from emorank.errors import RatingError, StorageError
from emorank.evaluation.raters.agreement import Agreement, agreement
from emorank.evaluation.raters.consistency import Consistency, consistency
from emorank.report.words import FAST, part
from emorank.room.enrolment import add_raters, wanted_names
from emorank.room.invites import invite, revoke
from emorank.room.open_link import open_key
from emorank.room.overview import answers, pictures, progress, version
from emorank.room.project import Project
from emorank.room.protocol import protocol_of
from emorank.room.raters import rater_name
from emorank.room.scaled import scaled_answers
from emorank.room.store import UnknownShowing, close, scale_of_project
from emorank.room.tables import NAMES, table_beside
from emorank.room.trials import checks_of
from emorank.web.rating.panels import SHOWN, Panels, ScalePanels, panels, scale_panels
from emorank.web.rating.rater import Key, picture_file
from emorank.web.templating import page
from emorank.web.visitors import Owner, TheOrigins, TheProject

router = APIRouter(prefix="/owner")
Value = TypeVar("Value")
Kind = Literal[
    "csv", "parquet", "json", "label-studio", "log", "displays", "trials", "consents"
]  # nothing that raters said of themselves
RESAMPLES = 500  # of the intervals on the page; `emorank rate summary` draws more
_FILES = {
    "csv": ("votes.csv", "text/csv"),
    "parquet": ("votes.parquet", "application/vnd.apache.parquet"),
    "json": ("votes.json", "application/json"),
    "label-studio": ("votes.label-studio.json", "application/json"),
}


class Memo(Generic[Value]):
    """Remembers a result of the answers, and computes it anew when something has happened."""

    def __init__(self, compute: Callable[[Project], Value]) -> None:
        self._compute = compute
        self._turn = threading.Lock()
        self._last: tuple[int, Value] | None = None

    def of(self, project: Project) -> Value:
        """The result for a project as it is now."""
        with self._turn:  # one thread computes, the others wait for it
            now = version(project)
            if self._last is None or self._last[0] != now:
                self._last = now, self._compute(project)
            return self._last[1]


@dataclass(frozen=True)
class RaterAgreement:
    """How well raters agree, with each other and with themselves; empty before there are two."""

    agreement: Agreement | None
    consistency: tuple[Consistency, ...]


def panels_of(project: Project) -> Panels:
    """Distribution, disputed and flagged images."""
    return panels(answers(project), pictures(project))


def scale_panels_of(project: Project) -> ScalePanels:
    """The same of the other scales."""
    return scale_panels(*scaled_answers(project), pictures(project))


def agreement_of(project: Project) -> RaterAgreement:
    """Agreement and consistency; resamples are drawn alike each time, so that nothing flickers."""
    table = answers(project)
    raters = table.loc[table["answer"] != SKIP, "rater"].nunique()
    rng = np.random.default_rng(0)
    result = agreement(table, rng, resamples=RESAMPLES) if raters > 1 else None
    return RaterAgreement(result, consistency(table))


@router.get("")
def show(project: TheProject, origins: TheOrigins, _: Owner) -> Response:
    """The page; its panels are fetched again every few seconds."""
    about = project.about()
    scale, key = scale_of_project(project), open_key(project)
    join = None if key is None else f"{origins.base}/join/{key}"
    return page(
        "rating/owner.html", title=about.title, about=about, scale=scale, join=join,
        protocol=protocol_of(project),
    )  # fmt: skip


@router.get("/progress")
def show_progress(project: TheProject, _: Owner) -> Response:
    """How far every rater is."""
    return _progress(project)


@router.get("/answers")
def show_answers(request: Request, project: TheProject, _: Owner) -> Response:
    """Distribution, disputed and flagged images; on other scales answers and scores."""
    scale = scale_of_project(project)
    if not scale.standard:
        faces = request.app.state.scale_panels.of(project)
        return page("rating/owner_scale.html", scale=scale, panels=faces, shown=SHOWN)
    shown = request.app.state.panels.of(project)
    return page("rating/owner_answers.html", panels=shown, shown=SHOWN, words=ANSWERS)


@router.get("/agreement")
def show_agreement(request: Request, project: TheProject, _: Owner) -> Response:
    """How well the raters agree so far."""
    if not scale_of_project(project).standard:
        return page("rating/owner_scale_agreement.html")
    return page("rating/owner_agreement.html", a=request.app.state.agreement.of(project))


@router.get("/export/{kind}")
def export(project: TheProject, _: Owner, kind: Kind) -> Response:
    """All current answers, as a file; or a table beside them."""
    if kind in NAMES:
        rows = table_beside(project, kind)
        return _file(f"{kind}.csv", "text/csv", lambda path: write_sheet(rows, path))
    name, media = _FILES[kind]
    if kind == "label-studio" or scale_of_project(project).standard:
        return _file(name, media, lambda path: write_answers(answers(project), path, kind))
    return _file(name, media, lambda path: write_sheet(scaled_answers(project)[1], path))


def _file(name: str, media: str, write: Callable[[Path], object]) -> Response:
    """A download of what is written to a path; `write` may write beside it and return where."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        written = write(path)
        content = (written if isinstance(written, Path) else path).read_bytes()
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=media, headers=headers)


@router.get("/picture/{image}")
def picture(project: TheProject, _: Owner, image: Key) -> Response:
    """A picture of the project's list, by its id there."""
    if image not in pictures(project).values():
        raise UnknownShowing("there is no such picture in the project")
    return picture_file(project.picture(image))


@router.post("/close")
def end(project: TheProject, _: Owner) -> Response:
    """Take no more answers."""
    close(project)
    return page("rating/owner_state.html", about=project.about())


@router.post("/reopen")
def go_on(project: TheProject, _: Owner) -> Response:
    """Take answers again."""
    close(project, closed=False)
    return page("rating/owner_state.html", about=project.about())


@router.post("/invite/{rater}")
def renew(project: TheProject, origins: TheOrigins, _: Owner, rater: Key) -> Response:
    """A new link for a rater; the old one and every session of the rater end."""
    name = _name(project, rater)
    revoke(project, rater)
    link = f"{origins.base}/invite/{invite(project, rater, base_url=origins.base)}"
    return page("rating/owner_link.html", name=name, link=link)


@router.post("/add")
def add(
    project: TheProject,
    origins: TheOrigins,
    _: Owner,
    who: Annotated[str, Form(min_length=1, max_length=4000)],
) -> Response:
    """Add raters: so many, or these names; their links are shown once."""
    try:
        added = add_raters(project, wanted_names(project, who))
    except StorageError:
        raise
    except RatingError as error:
        return page("rating/owner_added.html", links={}, problem=str(error))
    links = {
        name: f"{origins.base}/invite/{invite(project, rater, base_url=origins.base)}"
        for name, rater in added.items()
    }
    return page("rating/owner_added.html", links=links, problem="")


@router.post("/revoke/{rater}")
def withdraw(project: TheProject, _: Owner, rater: Key) -> Response:
    """A rater's link and sessions end; the answers stay."""
    _name(project, rater)
    revoke(project, rater)
    return _progress(project)


def _progress(project: Project) -> Response:
    raters = progress(project)
    done, total = sum(r.answered for r in raters), sum(r.total for r in raters)
    return page(
        "rating/owner_progress.html",
        raters=raters,
        done=done,
        total=total,
        fast=FAST,
        part=part,
        checks=checks_of(project) if protocol_of(project).checks else None,
    )


def _name(project: Project, rater: str) -> str:
    if rater not in {row.id for row in progress(project)}:
        raise UnknownShowing("there is no such rater in the project")
    return rater_name(project, rater)
