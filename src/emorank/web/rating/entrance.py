"""What everybody sees before taking part: the information, the length, the question for consent.

Until somebody has agreed, nothing is shown or stored.
"""

from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import Request
from markupsafe import Markup
from starlette.responses import Response

from emorank.room.duration import minutes
from emorank.room.project import Project
from emorank.room.protocol import Protocol, hash_of
from emorank.web.rating.language import Language, choice_of, language_of, page_in
from emorank.web.rating.markdown import html_of
from emorank.web.templating import text
from emorank.web.visitors import protocol_of


@dataclass(frozen=True)
class Other:
    """A link to the same page in a language."""

    code: str
    tag: str
    name: str
    address: str


def information(protocol: Protocol, language: Language) -> Markup | None:
    """The page of information and consent, as HTML; None if the study has none."""
    consent = protocol.consent
    if consent is None:
        return None
    if own := language.own(consent.text):
        return html_of(own)
    standard = text(
        "rating/information.html",
        _=language,
        questions=protocol.demographics,
        open_link=protocol.open_link,
        contact=language.own(consent.contact),
        kept=language.own(consent.kept),
    )
    return Markup(standard)  # noqa: S704 - a template's, which escapes what is put in


def agreement_to(request: Request, language: Language, agree: str) -> tuple[bool, str | None]:
    """Whether somebody may come in who sends this, and the hash of the text that was agreed to."""
    shown = information(protocol_of(request), language)
    if shown is None:
        return True, None
    return agree == hash_of(str(shown)), hash_of(str(shown))


def door(
    request: Request,
    project: Project,
    path: str,
    faces: int,
    rater: str | None = "",
    agreed: bool = False,
) -> Response:
    """The page behind a link; `rater` is a name, empty if unknown, or None for the owner.

    `path` is where its form is sent, with the ids of a panel that the address has. `faces` are the
    pictures that there will be; `agreed` says whether this rater has agreed before.
    """
    language, protocol, about = language_of(request), protocol_of(request), project.about()
    others = [
        Other(one.code, one.tag, one.name, _address(request, path, lang=one.code))
        for one in choice_of(request).offered.values()
    ]
    visitor = rater is not None
    shown = information(protocol, language) if visitor and not agreed else None
    return page_in(
        language,
        "rating/invite.html",
        title=language.own(protocol.title or about.title),
        rater=rater,
        others=others if len(others) > 1 else [],
        minutes=minutes(protocol, faces, shown.striptags() if shown else "") if visitor else 0,
        faces=faces,
        consent=shown,
        agree=hash_of(str(shown)),
        action=_address(request, path),
        declined=f"/declined?lang={language.code}",
    )


def declined(request: Request) -> Response:
    """Nothing was stored, and the link goes on working."""
    _ = language_of(request)
    lines = [
        _("You have not agreed, so you do not take part. Nothing was stored."),
        _("If you change your mind, open the link again."),
    ]
    heading = _("Thank you for reading")
    return page_in(_, "message.html", title="emorank", heading=heading, lines=lines)


def not_agreed(request: Request) -> Response:
    """The answer to somebody who wants to come in without having agreed."""
    _ = language_of(request)
    lines = [_("Read the information of this study, and agree to it, to take part.")]
    heading = _("Your consent is needed")
    return page_in(_, "message.html", 409, title="emorank", heading=heading, lines=lines)


def _address(request: Request, path: str, **more: str) -> str:
    """A path with the parameters of the present address, some of them changed."""
    parameters = {**request.query_params, **more}
    return f"{path}?{urlencode(parameters)}" if parameters else path
