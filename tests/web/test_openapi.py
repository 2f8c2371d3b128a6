"""Schemathesis asks what nobody would, as a rater, as the owner, as a stranger; nothing breaks."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from tests.rooms import ORIGIN
from tests.web.conftest import Visitor

from emorank.room.overview import answers
from emorank.web.rating.app import make_app
from emorank.web.safety import HEADERS, origins

# Closing, revoking and signing out end what the rest needs.
ENDING = ("/owner/close", "/owner/revoke/{rater}", "/owner/invite/{rater}", "/rate/leave")


@pytest.mark.parametrize("who", ["r1", None, ""], ids=["rater", "owner", "stranger"])
def test_no_request_breaks_the_server(make_room, who):
    """No answer of 500 and above, the headers on all of them, and no vote of a stranger."""
    room = make_room(count=6, repeats=0)
    app = make_app(room.project, origins(ORIGIN, "127.0.0.1", 8321))
    app.app.state.failures.limit = 10**9
    visitor = Visitor(app)
    if who != "":
        visitor.claim(room.link(who))
    schema = schemathesis.openapi.from_dict(app.app.openapi())
    asked = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path in ENDING:
            continue

        @settings(
            max_examples=12, database=None,
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy())
        def ask(case):
            nonlocal asked
            asked += 1
            kwargs = case.as_transport_kwargs(base_url=ORIGIN)
            kwargs["headers"] = {**dict(kwargs.get("headers") or {}), "Origin": ORIGIN}
            kwargs.pop("cookies", None)
            answer = visitor.request(**kwargs)
            assert answer.status_code < 500, (kwargs, answer.text)
            assert {name.lower() for name in HEADERS} <= set(answer.headers)
            assert "Traceback" not in answer.text

        ask()
    assert asked > 50
    if who == "":
        assert answers(room.project).empty
