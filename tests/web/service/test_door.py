"""Who may come in to a server that others can reach."""

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from tests.web.test_safety import answers

from emorank.errors import AccessError
from emorank.web.safety import Guard, Rules, origins
from emorank.web.service.door import LIFE
from emorank.web.service.keys import Keys
from emorank.web.window.app import make_app

BASE = "http://lab.example.org:8322"
KNOWN = origins(BASE, "0.0.0.0", 8322)  # noqa: S104
PAGE = {"Accept": "text/html"}
PLACES = ("/", "/v1/networks", "/metrics", "/openapi.json", "/nowhere", "/healthz/", "/static")


@pytest.fixture
def keys(tmp_path, monkeypatch):
    """The keys of this user: one, called lab."""
    monkeypatch.setenv("EMORANK_DATA", str(tmp_path))
    return Keys()


@pytest.fixture
def secret(keys):
    return keys.new("lab")[1]


@pytest.fixture
def app(shared_desk, secret):
    return make_app(shared_desk, KNOWN)


def come(app, base=BASE, **options):
    """A stranger of a browser's manners."""
    return TestClient(
        app, base_url=base, headers={"Origin": base}, follow_redirects=False, **options
    )


def bearer(secret):
    return {"Authorization": f"Bearer {secret}"}


def test_nothing_is_told_without_a_key(app):
    """But that the server runs, the page that asks for a key, and what that page is made of."""
    stranger = come(app)
    for path in PLACES:
        answer = stranger.get(path)
        assert answer.status_code == 401, path
        assert answer.headers["www-authenticate"] == 'Bearer realm="emorank"'
        assert answer.json()["type"] == "/problems/no-key"
    for path in ("/v1/faces", "/v1/explanations", "/window/pictures", "/key/leave"):
        assert stranger.post(path).status_code == 401
    for path in ("/healthz", "/key", "/static/style.css", "/problems/busy"):
        assert stranger.get(path).status_code == 200
    page = stranger.get("/", headers=PAGE)
    assert page.status_code == 401
    assert 'name="key"' in page.text
    assert stranger.get("/static/../v1/networks").status_code in (401, 404)
    assert stranger.get("/static/%2e%2e/v1/networks").status_code == 404


def test_a_body_of_a_stranger_is_not_read(app):
    """It is refused by its head."""
    read = []

    def body():
        for _ in range(50):
            read.append(1)
            yield bytes(100_000)

    assert come(app).post("/v1/faces", content=body()).status_code == 401


def test_a_program_with_a_key(app, secret, keys):
    """Whatever the scheme's case; until the key is revoked."""
    program = come(app)
    for header in (f"Bearer {secret}", f"bearer {secret}", f"BEARER   {secret} "):
        assert program.get("/metrics", headers={"Authorization": header}).status_code == 200
    for header in ("", "Bearer", "Bearer ", f"Basic {secret}", secret, f"Bearer {secret}x"):
        assert program.get("/metrics", headers={"Authorization": header}).status_code == 401
    keys.revoke("lab")
    assert program.get("/metrics", headers=bearer(secret)).status_code == 401


def test_a_browser_shows_its_key_once(app, secret, keys):
    """Then a cookie for this host and no script opens, until it leaves or the key is revoked."""
    browser = come(app)
    wrong = browser.post("/key", data={"key": "emorank_wrong"})
    assert wrong.status_code == 401
    assert "is not known" in wrong.json()["detail"]
    assert "set-cookie" not in wrong.headers
    right = browser.post("/key", data={"key": f" {secret} "})
    assert (right.status_code, right.headers["location"]) == (303, "/")
    cookie = right.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert secret not in right.headers["set-cookie"]
    assert browser.get("/", headers=PAGE).status_code == 200
    assert browser.get("/v1/networks").status_code == 200
    assert "Forget this browser" in browser.get("/key").text
    kept = dict(browser.cookies)
    assert browser.post("/key/leave").status_code == 303
    browser.cookies.update(kept)
    assert browser.get("/v1/networks").status_code == 401
    browser.post("/key", data={"key": secret})
    keys.revoke("lab")
    assert browser.get("/v1/networks").status_code == 401


def test_the_cookie_is_bound_to_tls_where_there_is_tls(shared_desk, secret):
    """__Host- and Secure."""
    base = "https://faces.example.org"
    browser = come(make_app(shared_desk, origins(base, "127.0.0.1", 8322)), base)
    cookie = browser.post("/key", data={"key": secret}).headers["set-cookie"]
    assert cookie.startswith("__Host-emorank_key=")
    assert "Secure" in cookie


def test_another_site_shows_no_key(app, secret):
    """A foreign page cannot sign a browser in, nor out."""
    browser = come(app)
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = browser.post("/key", data={"key": secret}, headers=headers)
        assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)


def test_wrong_keys_are_slowed_down_and_right_ones_are_not(app, secret):
    """Ten times the same, sixty different ones; then 429 with Retry-After."""
    guesser = come(app)
    codes = [guesser.get("/metrics", headers=bearer("same")).status_code for _ in range(12)]
    assert codes == [401] * 10 + [429] * 2
    codes = [guesser.get("/metrics", headers=bearer(f"x{n}")).status_code for n in range(61)]
    assert codes == [401] * 59 + [429] * 2
    answer = guesser.post("/key", data={"key": "another"})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    assert guesser.get("/metrics", headers=bearer(secret)).status_code == 200
    elsewhere = come(app, client=("10.0.0.9", 1))
    assert elsewhere.get("/metrics", headers=bearer("y")).status_code == 401


def test_sessions_end_and_are_bounded(app, secret, monkeypatch):
    """After twelve hours by the clock of the server; the oldest goes where there are too many."""
    now = [0.0]
    door = app.app.state.door
    door._clock = lambda: now[0]
    browser = come(app)
    browser.post("/key", data={"key": secret})
    now[0] = LIFE - 1
    assert browser.get("/v1/networks").status_code == 200
    now[0] = LIFE
    assert browser.get("/v1/networks").status_code == 401
    monkeypatch.setattr("emorank.web.service.door._SESSIONS", 3)
    first = door.open_with(secret, "here")
    others = [door.open_with(secret, "here") for _ in range(3)]
    assert not door.knows(first)
    assert all(map(door.knows, others))
    assert len(door._sessions) == 3


def test_a_damaged_file_of_keys_opens_to_nobody(app, secret, keys):
    """503, and the reason only in the log of who makes keys."""
    browser = come(app)
    browser.post("/key", data={"key": secret})
    keys.path.write_text("{")
    for answer in (
        browser.get("/v1/networks"), come(app).get("/v1/networks", headers=bearer(secret)),
        browser.get("/key"), browser.post("/key", data={"key": secret}),
    ):  # fmt: skip
        assert answer.status_code == 503
        assert str(keys.path) not in answer.text
    keys.path.unlink()
    assert browser.get("/v1/networks").status_code == 401


def test_a_server_without_keys_for_others_is_not_made(shared_desk, keys):
    """Nor one whose keys cannot be read; one for this machine needs none."""
    with pytest.raises(AccessError, match="Make one with: emorank serve key new"):
        make_app(shared_desk, KNOWN)
    keys.path.write_text("{")
    with pytest.raises(AccessError, match="damaged"):
        make_app(shared_desk, KNOWN)
    here = "http://127.0.0.1:8322"
    own = come(make_app(shared_desk, origins(here, "127.0.0.1", 8322)), here)
    assert own.get("/v1/networks").status_code == 200
    assert own.get("/key").headers["location"] == "/"


@pytest.mark.parametrize(
    "header", ["Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP"]
)
def test_a_server_without_keys_answers_no_proxy(shared_desk, header):
    """A proxy that passes strangers on by a name of this machine opens nothing."""
    here = "http://127.0.0.1:8322"
    own = come(make_app(shared_desk, origins(here, "127.0.0.1", 8322)), here)
    answer = own.get("/v1/networks", headers={header: "10.0.0.9"})
    assert answer.json()["type"] == "/problems/behind-a-proxy"
    assert own.get("/", headers={header: "10.0.0.9"}).status_code == 403
    assert own.get("/healthz", headers={header: "10.0.0.9"}).status_code == 200


def test_a_socket_needs_a_key_too(app, secret):
    """The cookie or the header; otherwise it is refused before it is accepted."""
    guard = Guard(answers, KNOWN, Rules(sockets=frozenset({"/live"})), app.attendant)
    stranger = TestClient(guard, base_url=BASE)
    headers = {"Origin": BASE, "Host": "lab.example.org:8322"}
    with (
        pytest.raises(WebSocketDisconnect) as refused,
        stranger.websocket_connect("/live", headers=headers),
    ):
        pass
    assert refused.value.code == 1008
    browser = come(app)
    browser.post("/key", data={"key": secret})
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    for more in (bearer(secret), {"Cookie": cookie}):
        with stranger.websocket_connect("/live", headers=headers | more):
            pass


def test_the_log_has_no_key(app, secret, caplog, monkeypatch):
    """Not even when something fails that is asked with one."""

    def broken(*_):
        raise RuntimeError("broken")

    monkeypatch.setattr("emorank.web.service.api.networks", broken)
    assert come(app).get("/v1/networks", headers=bearer(secret)).status_code == 500
    come(app).get("/v1/networks", headers=bearer("emorank_wrong"))
    assert "broken" in caplog.text
    assert secret not in caplog.text
    assert "emorank_wrong" not in caplog.text
