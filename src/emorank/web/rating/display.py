"""How faces are shown, which the project fixes, and on what, which browsers tell."""

from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from emorank.room.displays import Display, note
from emorank.web.visitors import Rater, TheProject, session_of

router = APIRouter(prefix="/rate")
Pixels = Annotated[int, Field(ge=0, le=100_000)]
# The first mark that is in the User-Agent decides: most browsers name others, too.
_FAMILIES = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"), ("FxiOS/", "Firefox"), ("CriOS/", "Chrome"), ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)  # fmt: skip
_SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iOS"), ("iPad", "iOS"), ("Windows", "Windows"),
    ("CrOS", "ChromeOS"), ("Mac OS X", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


class Told(BaseModel):
    """What a browser tells of itself, as in `Display`."""

    model_config = ConfigDict(extra="forbid", strict=True)
    theme: Literal["light", "dark"]
    width: Pixels
    height: Pixels
    pixel_ratio: Annotated[float, Field(gt=0, le=100)]
    face_px: Pixels
    pointer: Literal["mouse", "touch", "none"]


@router.get("/display.css")
def style(project: TheProject, _: Rater) -> Response:
    """The project's size of faces and its background; empty for a project that fixes neither."""
    about = project.about()
    content = "" if about.face_size is None else look(about.face_size, about.background)
    return Response(content, media_type="text/css")


@router.post("/display", status_code=204)
def tell(request: Request, project: TheProject, _: Rater, told: Told) -> Response:
    """Keep on what this session sees the faces."""
    browser = family(request.headers.get("user-agent", ""))
    note(project, session_of(request, owner=False), Display(**told.model_dump(), browser=browser))
    return Response(status_code=204)


def look(size: int, background: str) -> str:
    """The style of the rater's page, the same in a light and a dark theme."""
    dark_ink = _luminance(background) > 0.18  # where black and white contrast alike
    ink, paper = ("0 0 0", "255 255 255") if dark_ink else ("255 255 255", "0 0 0")
    return (
        f".rating {{ color-scheme: {'light' if dark_ink else 'dark'}; --face: {size}px; "
        f"--ground: {background}; --ink: rgb({ink}); --soft: var(--ink); --accent: var(--ink); "
        f"--on-accent: rgb({paper}); --focus: var(--ink); --line: rgb({paper} / 30%); "
        f"--card: rgb({paper} / 30%); "
        "--minimal: #a9cfe8; --moderate: #72a6cb; --average: #3a7cad; --strong: #0b4775; "
        "--on-minimal: #10222e; --on-moderate: #10222e; --on-average: #ffffff; "
        "--on-strong: #ffffff; }\n"
        ".rating dialog { background: var(--ground); }\n"
    )


def family(agent: str) -> str:
    """Browser and system of a User-Agent, such as "Firefox, Windows", and nothing more of it."""
    browser, system = (
        next((name for mark, name in marks if mark in agent), "other")
        for marks in (_FAMILIES, _SYSTEMS)
    )
    return f"{browser}, {system}"


def _luminance(color: str) -> float:
    """Relative luminance of "#rrggbb" in [0, 1], as WCAG 2 defines it."""
    parts = (int(color[start : start + 2], 16) / 255 for start in (1, 3, 5))
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
