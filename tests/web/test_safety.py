"""What an application admits beyond the reading of its pages."""

import anyio
import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from tests.rooms import HOST, ORIGIN
from tests.web.loops import run_alone

from emorank.web.safety import Guard, Rules, origins

RULES = Rules(max_body=1000, held=1500, programs=("/v1/",), sockets=frozenset({"/live"}))


async def answers(scope, receive, send):
    """Says how long the body is; a socket is accepted."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": 1000})
        return
    body = (await receive())["body"] if scope["method"] == "POST" else b""
    await PlainTextResponse(str(len(body)))(scope, receive, send)


@pytest.fixture
def guard():
    """An application of these rules."""
    return Guard(answers, origins(ORIGIN, "127.0.0.1", 8321), RULES)


@pytest.fixture
def client(guard):
    """Comes to it as a program: no origin."""
    return TestClient(guard, base_url=ORIGIN)


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/v1/faces", {}, 200),
        ("/v1/faces", {"Origin": ORIGIN}, 200),
        ("/v1/faces", {"Origin": "https://evil.example"}, 403),
        ("/v1/faces", {"Origin": "null"}, 403),
        ("/v1/faces", {"Sec-Fetch-Site": "cross-site"}, 403),
        ("/v1/faces", {"Host": "evil.example"}, 421),
        ("/other", {}, 403),
        ("/other", {"Origin": ORIGIN}, 200),
        ("/v1", {}, 403),
    ],
)
def test_programs_come_without_an_origin_where_they_may(client, path, headers, status):
    """Nowhere else, and a foreign origin is refused there too."""
    assert client.post(path, content=b"x", headers=headers).status_code == status


def test_a_body_is_as_large_as_the_rules_say(client):
    """By what it says of itself, and by what arrives."""
    assert client.post("/v1/x", content=bytes(1000)).text == "1000"
    assert client.post("/v1/x", content=bytes(1001)).status_code == 413
    parts = iter([bytes(600), bytes(600)])
    assert client.post("/v1/x", content=parts).status_code == 413
    assert (
        client.post("/v1/x", content=b"", headers={"Content-Length": "9" * 5000}).status_code == 400
    )


def test_all_bodies_together_are_bounded(guard):
    """While one is read, another one finds no room; when it has left, there is room again."""
    statuses = []

    async def post(receive):
        scope = {
            "type": "http", "method": "POST", "path": "/v1/x", "query_string": b"",
            "headers": [(b"host", HOST.encode())],
        }  # fmt: skip

        async def send(message):
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        await guard(scope, receive, send)

    async def ask():
        arrived, go_on = anyio.Event(), anyio.Event()
        parts = iter([(bytes(900), True), (b"", False)])

        async def slow():
            body, more = next(parts)
            if not more:
                arrived.set()
                await go_on.wait()
            return {"type": "http.request", "body": body, "more_body": more}

        async def whole():
            return {"type": "http.request", "body": bytes(900), "more_body": False}

        async with anyio.create_task_group() as group:
            group.start_soon(post, slow)
            await arrived.wait()
            await post(whole)
            go_on.set()
        await post(whole)

    run_alone(ask())
    assert statuses == [503, 200, 200]


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/live", {}),
        ("/live", {"Origin": "https://evil.example"}),
        ("/live", {"Origin": ORIGIN, "Host": "evil.example"}),
        ("/other", {"Origin": ORIGIN}),
    ],
)
def test_a_socket_is_ours_or_refused(client, path, headers):
    """The path, the origin and the host have to be this server's."""
    with (
        pytest.raises(WebSocketDisconnect) as refused,
        client.websocket_connect(path, headers={"Host": HOST} | headers),
    ):
        pass
    assert refused.value.code == 1008
    with client.websocket_connect("/live", headers={"Origin": ORIGIN, "Host": HOST}):
        pass


def test_pages_may_show_own_pictures_where_the_rules_say_so():
    """Otherwise neither pictures of the browser's own nor the camera."""
    assert "blob:" not in str(RULES.headers)
    assert RULES.headers["Permissions-Policy"].startswith("camera=(),")
    own = Rules(own_pictures=True).headers
    assert "img-src 'self' blob: data:" in own["Content-Security-Policy"]
    assert own["Permissions-Policy"].startswith("camera=(self),")
