"""Templates: everything that is put into them is escaped."""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from emorank.vocabulary import Emotion

# Emotions as they stand after "does this face express".
_NOUNS = {Emotion.HAPPY.value: "happiness"}

_ENVIRONMENT = Environment(
    loader=PackageLoader("emorank.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def word(emotion: str) -> str:
    """The word for an emotion in a question."""
    return _NOUNS.get(emotion, emotion)


def page(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Render a template as an answer."""
    return HTMLResponse(_ENVIRONMENT.get_template(template).render(**values), status)


_ENVIRONMENT.filters["word"] = word
