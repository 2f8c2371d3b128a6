"""What strangers, raters and other sites may try; each of it is refused."""

from dataclasses import replace

import httpx2
import numpy as np
import pytest
from anyio.from_thread import start_blocking_portal
from sqlalchemy import select
from starlette.testclient import TestClient
from tests.rooms import HOST, ORIGIN
from tests.web.conftest import Visitor

from emorank.errors import StorageError
from emorank.room.invites import INVITE_LIFE, SESSION_LIFE, invite, revoke
from emorank.room.overview import answers
from emorank.room.schema import EVENTS, INVITES, SESSIONS
from emorank.web.failures import Failures, TooOftenError
from emorank.web.rating.app import make_app
from emorank.web.safety import origins

FOREIGN = ("https://evil.example", "null", "http://127.0.0.1:9999", "https://127.0.0.1:8321", "")


# --- Other people's things --------------------------------------------------------------------


def test_a_rater_cannot_vote_or_look_as_another(visit, room):
    """Another rater's showing: no picture, no vote, and the batch is refused as a whole."""
    rater, foreign = visit("r1"), room.showings("r2")[0].id
    assert rater.get(f"/rate/picture/{foreign}").status_code == 404
    assert rater.vote(foreign).status_code == 404
    assert answers(room.project).empty


@pytest.mark.parametrize("page", ["", "/progress", "/answers", "/export/csv", "/export/json"])
def test_the_owners_pages_are_the_owners(visit, room, page):
    """A rater's session opens none of them, nor does a rater's cookie under the owner's name."""
    rater = visit("r1")
    assert rater.get(f"/owner{page}").status_code == 401
    ((name, session),) = rater.cookies.items()
    rater.cookies.set(name.replace("rater", "owner"), session)
    assert rater.get(f"/owner{page}").status_code == 401
    assert visit(None).get("/rate").status_code == 401


@pytest.mark.parametrize("what", ["close", "reopen", "invite/{}", "revoke/{}"])
def test_the_owners_deeds_are_the_owners(visit, room, what):
    """A rater can neither close nor invite nor revoke."""
    rater = visit("r1")
    assert rater.post(f"/owner/{what.format(room.raters['r2'])}").status_code == 401
    assert room.project.about().closed_at is None


def test_an_image_of_the_project_is_for_the_owner_only(visit, room):
    """The owner's picture address does not serve raters, and a rater's does not take image ids."""
    image = next((room.project.folder / "images").iterdir()).stem
    rater = visit("r1")
    assert rater.get(f"/owner/picture/{image}").status_code == 401
    assert rater.get(f"/rate/picture/{image}").status_code == 404
    assert visit(None).get(f"/owner/picture/{image}").status_code == 200


WAYS_OUT = (
    "../rating.db", "..%2Frating.db", "%2e%2e/%2e%2e/rating.toml", "....//rating.db",
    "/etc/passwd", "%2Fetc%2Fpasswd", "x%00.jpg", "..\\rating.db", "x" * 64, "x" * 5000,
)  # fmt: skip


@pytest.mark.parametrize("path", WAYS_OUT)
@pytest.mark.parametrize("base", ["/rate/picture/", "/owner/picture/"])
def test_no_path_leads_out(visit, base, path):
    """Pictures are looked up in the project's list."""
    leads_nowhere(visit(None if "owner" in base else "r1").get(base + path))


def test_no_path_leads_out_of_the_static_files(attacked):
    """They are the package's."""
    for folder in (attacked.script.rpartition("/")[0] + "/", "/static/"):
        for path in WAYS_OUT:
            leads_nowhere(attacked.visitor.get(folder + path))


def leads_nowhere(answer):
    assert answer.status_code in (400, 404, 422)
    assert b"SQLite" not in answer.content
    assert b"root:" not in answer.content


# --- Links and sessions -----------------------------------------------------------------------


def test_a_link_works_once(app, room):
    """Replayed, it opens nothing."""
    link = room.link("r1")
    Visitor(app).claim(link)
    again = Visitor(app).post(link)
    assert again.status_code == 404
    assert "set-cookie" not in again.headers
    assert Visitor(app).get(link).status_code == 404


def test_looking_at_a_link_does_not_use_it_up(app, room):
    """Mail programs open links."""
    link = room.link("r1")
    for _ in range(3):
        assert Visitor(app).get(link).status_code == 200
    Visitor(app).claim(link)


def test_an_expired_link_and_an_expired_session(room):
    """After its time neither opens anything."""
    now = [1.8e9]
    project = replace(room.project, clock=lambda: now[0])
    app = make_app(project, origins(ORIGIN, "127.0.0.1", 8321))
    early, late = (f"/invite/{invite(project, room.raters[name])}" for name in ("r1", "r2"))
    rater = Visitor(app).claim(early)
    now[0] += INVITE_LIFE / 1000 + 1
    assert Visitor(app).post(late).status_code == 404
    assert rater.get("/rate").status_code == 200
    now[0] += (SESSION_LIFE - INVITE_LIFE) / 1000
    assert rater.get("/rate").status_code == 401


def test_a_revoked_link_and_its_session(visit, app, room):
    """Revoked by the owner: the link is dead, and so is the browser that came in."""
    rater, link = visit("r1"), room.link("r1")
    revoke(room.project, room.raters["r1"])
    assert Visitor(app).post(link).status_code == 404
    assert rater.get("/rate").status_code == 401
    assert visit("r2").get("/rate").status_code == 200


def test_a_new_link_kills_the_old_one(app, room):
    """Of two links of one rater only the newer works."""
    old, new = room.link("r1"), room.link("r1")
    assert Visitor(app).post(old).status_code == 404
    Visitor(app).claim(new)


def test_secrets_are_not_in_the_database(visit, room):
    """Neither link nor cookie can be read from the file of votes."""
    link = room.link("r2")
    rater = visit("r1")
    with room.project.database.reading() as connection:
        stored = [
            str(value)
            for table in (INVITES, SESSIONS, EVENTS)
            for row in connection.execute(select(table))
            for value in row
        ]
    assert link.rpartition("/")[2] not in " ".join(stored)
    (session,) = rater.cookies.values()
    assert session not in " ".join(stored)


def test_a_link_that_does_not_work_is_refused_for_itself(app, room):
    """Tried ten times it has to wait; good links of others at the same address work."""
    spent = room.link("r1")
    Visitor(app).claim(spent)
    stranger = Visitor(app)
    assert [stranger.post(spent).status_code for _ in range(12)] == [404] * 10 + [429] * 2
    assert stranger.get(spent).status_code == 429
    assert Visitor(app).post("/invite/another").status_code == 404
    Visitor(app).claim(room.link("r2"))


def test_guessing_links_is_slowed_down(app, room):
    """After sixty different ones an address has to wait, and still its good links work."""
    guesser = Visitor(app)
    codes = [guesser.post(f"/invite/guess{number}").status_code for number in range(62)]
    assert codes == [404] * 60 + [429] * 2
    guesser.claim(room.link("r1"))
    other = TestClient(app, base_url=ORIGIN, client=("10.0.0.9", 1), follow_redirects=False)
    assert other.get("/invite/guess").status_code == 404


def test_failures_are_forgotten_after_a_minute():
    """By the clock of the server; nothing else is kept of them."""
    now = [0.0]
    failures = Failures(of_link=2, of_address=2, clock=lambda: now[0])
    failures.add("a", "here")
    failures.add("a", "here")
    failures.add("b", "here")
    for refused in (lambda: failures.check("a"), lambda: failures.add("c", "here")):
        with pytest.raises(TooOftenError):
            refused()
    failures.check("b")
    failures.add("c", "there")
    now[0] = 61
    failures.check("a")
    failures.add("c", "here")
    assert len(failures._times) == 2


def test_memory_of_failures_has_a_bound(monkeypatch):
    """The oldest are forgotten."""
    monkeypatch.setattr("emorank.web.failures.MAX_COUNTED", 4)
    failures = Failures()
    for number in range(50):
        failures.add(str(number), str(number))
    assert len(failures._times) == 4


@pytest.mark.parametrize(("name", "place"), [("r1", "/rate"), (None, "/owner")])
def test_the_own_link_leads_a_known_browser_on(app, room, name, place):
    """Opened or claimed again, or from the history; as often as one likes."""
    link = room.link(name)
    visitor = Visitor(app).claim(link)
    for _ in range(12):
        for answer in (visitor.get(link), visitor.post(link), visitor.get(f"{link}x")):
            assert (answer.status_code, answer.headers["location"]) == (303, place)
    assert visitor.get(place).status_code == 200


@pytest.mark.parametrize("behind", [".", ")", ">,", "%20", "%22"])
def test_what_stands_behind_a_link_in_a_mail_is_no_part_of_it(app, room, behind):
    """Mail programs take it in."""
    link = room.link("r1")
    visitor = Visitor(app)
    assert f'action="{link}"' in visitor.get(link + behind).text
    visitor.claim(link + behind)


def test_a_damaged_link_is_refused_as_any_other(app):
    """With the sentence that says what to do; one of any length is not read."""
    for link in ("/invite/%C3%A4b", "/invite/a%00b", "/invite/..."):
        assert "No way in" in Visitor(app).get(link).text
    assert Visitor(app).get(f"/invite/{'x' * 129}").status_code == 422


def test_a_link_of_another_leads_to_nobodys_page(app, room):
    """On a shared computer: not to the page of the rater who was here before; nor after the end."""
    mine, other = room.link("r1"), room.link("r2")
    visitor = Visitor(app).claim(mine)
    Visitor(app).claim(other)
    assert visitor.get(other).status_code == 404
    revoke(room.project, room.raters["r1"])
    assert visitor.get(mine).status_code == 404


def test_cookies_are_for_this_host_and_no_script(app, room):
    """HttpOnly and SameSite always; Secure and __Host- where the server is reached by TLS."""
    plain = Visitor(app).post(room.link("r1")).headers["set-cookie"]
    assert "HttpOnly" in plain
    assert "SameSite=lax" in plain
    secure = make_app(room.project, origins("https://rate.example.org", "127.0.0.1", 8321))
    visitor = TestClient(secure, base_url="https://rate.example.org", follow_redirects=False)
    answer = visitor.post(room.link("r1"), headers={"Origin": "https://rate.example.org"})
    assert answer.headers["set-cookie"].startswith("__Host-emorank_rater_")
    assert "Secure" in answer.headers["set-cookie"]
    assert answer.headers["strict-transport-security"]


def test_two_projects_on_one_host_keep_their_sessions(make_room, serve):
    """Cookies ignore ports: a link of the second leaves the first signed in, over restarts too."""
    rooms = [make_room(name=name) for name in ("a", "b")]
    servers = [serve(room.project.folder) for room in rooms]
    with httpx2.Client() as browser:
        for who in ("r1", None):
            for room, server in zip(rooms, servers, strict=True):
                claimed = browser.post(
                    server.base + room.link(who), headers={"Origin": server.base}
                )
                assert claimed.status_code == 303
        servers[0].kill()
        servers[0] = serve(rooms[0].project.folder, servers[0].port)
        for room, server in zip(rooms, servers, strict=True):
            assert browser.get(f"{server.base}/owner").status_code == 200
            asked = browser.get(f"{server.base}/rate/showings", params={"start": 0}).json()
            mine = [row.id for row in room.showings("r1")]
            assert [row["id"] for row in asked["showings"]] == mine
        assert len(browser.cookies) == 4


# --- Other sites ------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", FOREIGN)
def test_another_site_can_post_nothing(attacked, origin):
    """With the visitor's cookies and a foreign origin: refused before any page."""
    for address in attacked.posts:
        answer = attacked.visitor.post(address, headers={"Origin": origin}, json={})
        assert answer.status_code == 403
    assert attacked.unchanged()


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_the_browsers_word_about_the_site_counts(attacked, site):
    """Sec-Fetch-Site other than same-origin is refused, whatever Origin says."""
    for address in attacked.posts:
        answer = attacked.visitor.post(address, headers={"Sec-Fetch-Site": site})
        assert answer.status_code == 403


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:8322", "rate.example.org", ""])
def test_other_names_of_this_server_are_refused(attacked, host):
    """A name whose DNS points here (rebinding) gets nothing."""
    for address in (attacked.page, attacked.script):
        answer = attacked.visitor.get(address, headers={"Host": host})
        assert answer.status_code == 421
    for address in attacked.posts:
        assert attacked.visitor.post(address, headers={"Host": host}).status_code == 421


@pytest.mark.parametrize(
    ("base", "port", "host"),
    [
        ("https://Rate.example.org:443/", 8321, "rate.example.org"),
        ("http://127.0.0.1:80", 80, "127.0.0.1"),
        ("http://[::1]:8321", 8321, "[::1]:8321"),
    ],
)
def test_a_usual_port_goes_unsaid_as_in_browsers(base, port, host):
    """Browsers leave it out of Host and Origin."""
    known = origins(base, "127.0.0.1", port)
    assert host in known.hosts
    assert known.base in known.allowed


def test_every_answer_carries_the_headers(attacked):
    """Pages, errors, files, refusals: the same policy, and nothing from elsewhere."""
    visitor, post = attacked.visitor, attacked.posts[0]
    stranger = Visitor(attacked.app)
    seen = [
        visitor.get(attacked.page), visitor.get("/nowhere"), visitor.get(attacked.script),
        stranger.get(attacked.page), visitor.post(post, headers={"Origin": FOREIGN[0]}),
        visitor.get(attacked.page, headers={"Host": "evil.example"}), visitor.put(post),
        visitor.post(post, content=bytes(attacked.app.rules.max_body + 1)),
    ]  # fmt: skip
    for answer in seen:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
    assert seen[0].headers["cache-control"] == "no-store"


# --- Size, scripts, errors --------------------------------------------------------------------


def test_huge_uploads_are_refused(attacked):
    """By the declared length, and by what really comes where none is declared."""
    visitor, most, post = attacked.visitor, attacked.app.rules.max_body, attacked.posts[1]
    assert visitor.post(post, content=bytes(most + 1)).status_code == 413

    def endless():
        for _ in range(20):
            yield bytes(most // 10)

    assert visitor.post(post, content=endless()).status_code == 413
    assert visitor.post(post, content=bytes(most)).status_code in (415, 422)
    answer = visitor.post(post, content=b"{}", headers={"Content-Length": "many"})
    assert answer.status_code == 400
    assert attacked.unchanged()


def test_half_a_request_does_nothing(attacked):
    """A visitor who is gone before the body is complete has asked for nothing."""
    heard = [{"type": "http.request", "body": b"", "more_body": True}, {"type": "http.disconnect"}]
    said = []

    async def receive():
        return heard.pop(0)

    async def send(message):
        said.append(message)

    cookies = "; ".join(f"{k}={v}" for k, v in attacked.visitor.cookies.items())
    headers = {"host": HOST, "origin": ORIGIN, "cookie": cookies, "content-type": "image/png"}
    scope = {
        "type": "http", "method": "POST", "path": attacked.posts[0], "query_string": b"",
        "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
    }  # fmt: skip
    with start_blocking_portal() as portal:  # a browser of another test may use this thread's loop
        portal.call(attacked.app, scope, receive, send)
    assert said == []
    assert attacked.unchanged()


SCRIPT = "<script>alert(1)</script>"


def test_script_in_names_and_words_stays_text(make_room):
    """In a file name, an emotion word, a title, a question, a rater's name: escaped everywhere."""
    shown = [(f"{SCRIPT}/{number}{SCRIPT}.png", SCRIPT) for number in range(4)]
    room = make_room(
        shown=shown, raters=(f"r1{SCRIPT}", f"r2{SCRIPT}"), title=SCRIPT,
        question=f"{SCRIPT} {{emotion}} {SCRIPT}", read=lambda _: np.full((32, 32, 3), 9, np.uint8),
    )  # fmt: skip
    room.vote_all(f"r1{SCRIPT}", lambda showing: "None")
    room.vote_all(f"r2{SCRIPT}", lambda showing: "Minimal")
    app = make_app(room.project, origins(ORIGIN, "127.0.0.1", 8321))
    rater, owner = Visitor(app), Visitor(app)
    link = room.link(f"r1{SCRIPT}")
    pages = [
        rater.get(link),
        rater.claim(link).get("/rate"),
        owner.claim(room.link(None)).get("/owner"),
    ]
    pages += [owner.get("/owner/progress"), owner.get("/owner/answers")]
    for page in pages:
        assert page.status_code == 200
        assert SCRIPT not in page.text
        assert "&lt;script&gt;" in page.text
    listed = rater.get("/rate/showings")
    assert listed.headers["content-type"] == "application/json"


def test_an_unforeseen_error_tells_nothing(attacked, monkeypatch):
    """500 and a sentence: no stack trace, no path, no SQL; the headers are there all the same."""

    def broken(*_):
        raise RuntimeError("secret /var/lib/x SELECT")

    name, page = attacked.broken
    monkeypatch.setattr(name, broken)
    answer = attacked.visitor.get(page)
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_log_has_no_secret_of_a_link(room, monkeypatch, caplog):
    """Not even when the database fails while somebody claims one."""

    def down(*_):
        raise StorageError("the database is down")

    app = make_app(room.project, origins(ORIGIN, "127.0.0.1", 8321))
    monkeypatch.setattr("emorank.web.rating.claim.claim", down)
    link = room.link("r1")
    assert Visitor(app).post(link).status_code == 503
    assert "the database is down" in caplog.text
    assert "/invite/{secret}" in caplog.text
    assert link.rpartition("/")[2] not in caplog.text


def test_there_is_no_page_about_the_interface(visit):
    """Nothing that would load a script from elsewhere."""
    for address in ("/docs", "/redoc", "/openapi.json"):
        assert visit("r1").get(address).status_code == 404
