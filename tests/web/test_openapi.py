"""Schemathesis asks what nobody would, of the room and of the service; nothing breaks."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, reject, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks
from tests.rooms import ORIGIN
from tests.web.conftest import Visitor

from emorank.room.overview import answers
from emorank.web.rating.app import make_app
from emorank.web.safety import origins
from emorank.web.window.app import make_app as make_window

# Closing, revoking and signing out end what the rest needs.
ENDING = ("/owner/close", "/owner/revoke/{rater}", "/owner/invite/{rater}", "/rate/leave")
AS_DESCRIBED = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]


def ask_all(visitor, description, check, leave_out=(), content=None, **how):
    """Ask every operation of a description some strange things; the statuses of the answers.

    With `content` every body is that one, the file of a picture.
    """
    headers = {name.lower() for name in visitor.app.rules.headers}
    statuses = []
    for found in schemathesis.openapi.from_dict(description).get_all_operations():
        operation = found.ok()
        if operation.path in leave_out:
            continue

        @settings(max_examples=12, database=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy(**how))
        def ask(case):
            kwargs = case.as_transport_kwargs(base_url=ORIGIN)
            if content and case.method == "POST":
                case.media_type = "image/jpeg"
                kwargs = {name: kwargs.get(name) for name in ("method", "url", "params")}
                kwargs |= {"content": content, "headers": {"Content-Type": "image/jpeg"}}
            kwargs["headers"] = {**dict(kwargs.get("headers") or {}), "Origin": ORIGIN}
            kwargs.pop("cookies", None)
            try:
                request = visitor.build_request(**kwargs)
                request.read()
            except (AttributeError, TypeError, ValueError):  # the client cannot write that
                reject()
            answer = visitor.send(request)
            statuses.append(answer.status_code)
            assert answer.status_code < 500, (kwargs, answer.text)
            assert headers <= set(answer.headers)
            assert "Traceback" not in answer.text
            check(case, answer)

        ask()
    return statuses


@pytest.mark.parametrize("who", ["r1", None, ""], ids=["rater", "owner", "stranger"])
def test_no_request_breaks_the_server(make_room, who):
    """No answer of 500 and above, the headers on all of them, and no vote of a stranger."""
    room = make_room(count=6, repeats=0)
    app = make_app(room.project, origins(ORIGIN, "127.0.0.1", 8321))
    app.app.state.failures.limit = 10**9
    visitor = Visitor(app)
    if who != "":
        visitor.claim(room.link(who))
    description = app.app.openapi()
    assert len(ask_all(visitor, description, lambda *_: None, leave_out=ENDING)) > 50
    if who == "":
        assert answers(room.project).empty


@pytest.mark.parametrize(
    ("mode", "with_face", "status"),
    [
        (GenerationMode.POSITIVE, True, 200),
        (GenerationMode.POSITIVE, False, 422),
        (GenerationMode.NEGATIVE, False, 422),
    ],
    ids=["faces", "noise", "wrong"],
)
def test_the_service_answers_as_it_is_described(shared_desk, face_file, mode, with_face, status):
    """Right and wrong questions: the status, the type and the shape that the description says."""
    visitor = Visitor(make_window(shared_desk, origins(ORIGIN, "127.0.0.1", 8321)))
    description = visitor.get("/openapi.json").json()

    def check(case, answer):
        case.validate_response(answer, checks=AS_DESCRIBED)

    content = face_file if with_face else None
    wrong = mode == GenerationMode.NEGATIVE
    alone = ("/v1/networks", "/healthz", "/metrics") if wrong else ()  # nothing to get wrong
    statuses = ask_all(visitor, description, check, alone, content, generation_mode=mode)
    assert len(statuses) > 15
    assert status in statuses
