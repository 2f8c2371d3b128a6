"""Templates: all values in them are escaped, and a value that is missing is an error.

Templates of an application are named after its folder: "rating/owner.html".
"""

from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, PrefixLoader, StrictUndefined
from starlette.responses import HTMLResponse

_ENVIRONMENT = Environment(
    loader=ChoiceLoader(
        [
            PackageLoader("emorank.web"),
            PrefixLoader(
                {
                    name: PackageLoader(f"emorank.web.{name}")
                    for name in ("rating", "service", "window")
                }
            ),
        ]
    ),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Render a template as an answer."""
    return HTMLResponse(text(template, **values), status)


def text(template: str, **values: Any) -> str:
    """Render a template."""
    return _ENVIRONMENT.get_template(template).render(**values)
