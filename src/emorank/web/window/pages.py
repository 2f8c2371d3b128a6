"""The page that reads pictures."""

from fastapi import APIRouter
from starlette.responses import HTMLResponse

from emorank.web.templating import page

router = APIRouter()


@router.get("/")
def window() -> HTMLResponse:
    """The page, before any picture is given."""
    return page("window/window.html", title="emorank")
