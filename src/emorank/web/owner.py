"""The owner's page: progress, what came out so far, invites, export, and the end of it."""

import threading

from fastapi import APIRouter, Request
from starlette.responses import Response

from emorank.annotations.answers import ANSWERS
from emorank.annotations.invites import invite, revoke
from emorank.annotations.overview import answers, pictures, progress, rater_name, version
from emorank.annotations.project import Project
from emorank.annotations.store import UnknownShowing, close
from emorank.web.panels import SHOWN, Summary, summarise
from emorank.web.rate import Key, picture_file
from emorank.web.templating import page
from emorank.web.visitors import Owner, TheOrigins, TheProject

router = APIRouter(prefix="/owner")


class Summaries:
    """Keeps the last summary as long as nothing has happened since."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._kept: tuple[int, Summary] | None = None

    def of(self, project: Project) -> Summary:
        """The summary of a project as it stands."""
        with self._turn:  # one computes, the others wait for it
            now = version(project)
            if self._kept is None or self._kept[0] != now:
                self._kept = now, summarise(answers(project), pictures(project))
            return self._kept[1]


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
