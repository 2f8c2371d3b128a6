"""The owner's page: progress, what came out so far, invites, export, and the end of it."""

import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Literal, TypeVar

import numpy as np
from fastapi import APIRouter, Request
from starlette.responses import Response

from emorank.answers.answers_table import ANSWERS, SKIP
from emorank.answers.interchange import write_answers
from emorank.evaluation.raters.agreement import Agreement, agreement
from emorank.evaluation.raters.consistency import Consistency, consistency
from emorank.room.invites import invite, revoke
from emorank.room.overview import answers, pictures, progress, version
from emorank.room.project import Project
from emorank.room.raters import rater_name
from emorank.room.store import UnknownShowing, close
from emorank.web.panels import SHOWN, Summary, summarise
from emorank.web.rate import Key, picture_file
from emorank.web.templating import page
from emorank.web.visitors import Owner, TheOrigins, TheProject

router = APIRouter(prefix="/owner")
Found = TypeVar("Found")
Kind = Literal["csv", "parquet", "json", "label-studio"]
RESAMPLES = 500  # of the intervals on the page; `emorank rate summary` draws more
_FILES = {
    "csv": (".csv", "text/csv"),
    "parquet": (".parquet", "application/vnd.apache.parquet"),
    "json": (".json", "application/json"),
    "label-studio": (".label-studio.json", "application/json"),
}


class Kept(Generic[Found]):
    """Keeps what was computed of the answers as long as nothing has happened since."""

    def __init__(self, compute: Callable[[Project], Found]) -> None:
        self._compute = compute
        self._turn = threading.Lock()
        self._kept: tuple[int, Found] | None = None

    def of(self, project: Project) -> Found:
        """What comes out of a project as it stands."""
        with self._turn:  # one computes, the others wait for it
            now = version(project)
            if self._kept is None or self._kept[0] != now:
                self._kept = now, self._compute(project)
            return self._kept[1]


@dataclass(frozen=True)
class Agreeing:
    """How well raters agree, with each other and with themselves; empty before there are two."""

    agreement: Agreement | None
    consistency: tuple[Consistency, ...]


def summary_of(project: Project) -> Summary:
    """Distribution, disputed and flagged images."""
    return summarise(answers(project), pictures(project))


def agreeing_of(project: Project) -> Agreeing:
    """Agreement and consistency; resamples are drawn alike each time, so that nothing flickers."""
    given = answers(project)
    raters = given.loc[given["answer"] != SKIP, "rater"].nunique()
    rng = np.random.default_rng(0)
    measured = agreement(given, rng, resamples=RESAMPLES) if raters > 1 else None
    return Agreeing(measured, consistency(given))


@router.get("")
def show(project: TheProject, _: Owner) -> Response:
    """The page; its panels are fetched again every few seconds."""
    about = project.about()
    return page("owner.html", title=about.title, about=about)


@router.get("/progress")
def show_progress(project: TheProject, _: Owner) -> Response:
    """How far every rater is."""
    return _progress(project)


@router.get("/answers")
def show_answers(request: Request, project: TheProject, _: Owner) -> Response:
    """Distribution, disputed and flagged images."""
    summary = request.app.state.summaries.of(project)
    return page("owner_answers.html", s=summary, shown=SHOWN, words=ANSWERS)


@router.get("/agreement")
def show_agreement(request: Request, project: TheProject, _: Owner) -> Response:
    """How well the raters agree so far."""
    return page("owner_agreement.html", a=request.app.state.agreement.of(project))


@router.get("/export/{kind}")
def export(
    project: TheProject, _: Owner, kind: Literal["csv", "parquet", "json", "label-studio"]
) -> Response:
    """Every answer that stands, as a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_answers(answers(project), Path(folder) / "votes", kind)
        content = path.read_bytes()
    ending, media = _FILES[kind]
    headers = {"Content-Disposition": f'attachment; filename="votes{ending}"'}
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
    return _state(project)


@router.post("/reopen")
def go_on(project: TheProject, _: Owner) -> Response:
    """Take answers again."""
    close(project, closed=False)
    return _state(project)


@router.post("/invite/{rater}")
def renew(project: TheProject, known: TheOrigins, _: Owner, rater: Key) -> Response:
    """A new link for a rater; the old one and every session of the rater end."""
    name = _name(project, rater)
    revoke(project, rater)
    link = f"{known.base}/invite/{invite(project, rater)}"
    return page("owner_link.html", name=name, link=link)


@router.post("/revoke/{rater}")
def withdraw(project: TheProject, _: Owner, rater: Key) -> Response:
    """A rater's link and sessions end; the answers stay."""
    _name(project, rater)
    revoke(project, rater)
    return _progress(project)


def _progress(project: Project) -> Response:
    raters = progress(project)
    done, total = sum(r.answered for r in raters), sum(r.total for r in raters)
    return page("owner_progress.html", raters=raters, done=done, total=total)


def _state(project: Project) -> Response:
    return page("owner_state.html", about=project.about())


def _name(project: Project, rater: str) -> str:
    if rater not in {row.id for row in progress(project)}:
        raise UnknownShowing("there is no such rater in the project")
    return rater_name(project, rater)
