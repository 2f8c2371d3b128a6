"""What the window answers, without a browser."""

import asyncio
import csv
import io
import json
import re
import socket
import threading
import time

import pytest
from PIL import Image
from starlette.testclient import TestClient
from tests.web.test_decoders import png

from emorank import read
from emorank.reading.ready import ready_network
from emorank.web.desk import Desk
from emorank.web.safety import origins
from emorank.web.window.app import make_app
from emorank.web.window.pages import MOST

ORIGIN = "http://127.0.0.1:8322"
UNKNOWN = "A" * 22


def visitor(desk, **options):
    app = make_app(desk, origins(ORIGIN, "127.0.0.1", 8322), **options)
    return TestClient(app, base_url=ORIGIN, headers={"Origin": ORIGIN})


@pytest.fixture(scope="module")
def desk():
    opened = Desk(None, ready_network(), waiting=3)
    yield opened
    opened.close()


@pytest.fixture
def page(desk):
    return visitor(desk)


def give(page, data, name="smile.jpg"):
    return page.post("/window/pictures", params={"name": name}, content=data)


def test_a_picture_is_read_as_the_reader_reads_it(page, faces):
    """Its faces with boxes as shares of its sides, and every number of a face as a file."""
    path = faces / "p02_happy_4.jpg"
    given = give(page, path.read_bytes()).json()
    (row,) = (face.row for face in read(path, rank=["contrast", "paper"], heatmaps=False))
    (face,) = given["faces"]
    assert (given["name"], given["width"], given["height"]) == ("smile.jpg", 224, 224)
    edges = ("box_left", "box_top", "box_right", "box_bottom")
    assert face["box"] == pytest.approx([row[edge] / 224 for edge in edges])
    assert (face["named"], face["level"]) == ("happy", "Strong")
    at = f"/window/faces/{face['id']}"
    said = page.get(f"{at}/row.json")
    assert said.headers["content-type"] == "application/json"
    (got,) = said.json()
    assert list(got) == list(row)
    for name, value in (row | {"image": "smile.jpg"}).items():
        near = pytest.approx(value, rel=1e-4, abs=1e-6) if isinstance(value, float) else value
        assert got[name] == near, name
    (line,) = csv.DictReader(io.StringIO(page.get(f"{at}/row.csv").text))
    assert float(line["score"]) == pytest.approx(row["score"], rel=1e-4)
    assert line["paper_rank"] == "Minimal"
    for address in (f"/window/pictures/{given['id']}.jpg", f"{at}/pixels.jpg"):
        assert Image.open(io.BytesIO(page.get(address).content)).format == "JPEG"
    figure = page.get(f"{at}/figure.png", params={"against": "fear", "preset": "epsilon-plus"})
    assert Image.open(io.BytesIO(figure.content)).format == "PNG"


def test_each_question_has_its_own_answer(page, faces):
    """Another expression, another alternative, other rules, one channel; nothing but what is."""
    (face,) = give(page, (faces / "p02_happy_4.jpg").read_bytes()).json()["faces"]

    def ask(**wish):
        answer = page.get(f"/window/faces/{face['id']}", params=wish)
        assert answer.status_code == 200, answer.text
        return answer.json()

    usual = ask()
    assert "Why happy, and not neutral?" in usual["html"]
    assert (usual["expressed"], usual["against"]) == ("happy", "neutral")
    wishes = ({"expression": "fear"}, {"against": "fear"}, {"against": "nothing"})
    wishes += ({"preset": "epsilon"}, {"channel": "red"}, {"channel": "blue"})
    answers = [ask(**wish) for wish in wishes]
    assert len({usual["heatmap"], *(one["heatmap"] for one in answers)}) == 1 + len(wishes)
    assert "Why fear, and not neutral?" in answers[0]["html"]
    assert "Why happy, and not fear?" in answers[1]["html"]
    assert "The red channel:" in answers[4]["html"]
    # Another face may be named what the last one was held against.
    assert ask(against="happy")["against"] == "neutral"
    for wrong in (
        {"expression": "envy"},
        {"preset": "occlusion"},
        {"channel": "green2"},
        {"more": "1"},
    ):
        refused = page.get(f"/window/faces/{face['id']}", params=wrong)
        assert refused.status_code == 422
        assert set(refused.json()) == {"error"}
    refused = page.get(f"/window/faces/{face['id']}", params={"preset": "x"}).json()["error"]
    assert refused.startswith("'x' is no preset; expected one of epsilon, epsilon-plus, ")


def test_tables_of_several_faces(page, faces):
    """In the order that was asked for; a name that is a formula stays text."""
    data = (faces / "p02_happy_4.jpg").read_bytes()
    ids = [give(page, data, name).json()["faces"][0]["id"] for name in ("a.jpg", "=1+1.jpg")]
    table = page.post("/window/rows.csv", json={"faces": ids[::-1]}).text
    assert [line["image"] for line in csv.DictReader(io.StringIO(table))] == ["'=1+1.jpg", "a.jpg"]
    rows = page.post("/window/rows.json", json={"faces": ids}).json()
    assert [row["image"] for row in rows] == ["a.jpg", "=1+1.jpg"]
    for many in (0, MOST + 1):
        assert page.post("/window/rows.csv", json={"faces": ids[:1] * many}).status_code == 422


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"hello", "is a text file"),
        (b"%PDF-1.7", "is a PDF"),
        (png()[:60], "damaged|cannot|truncated"),
        (png(), "no face was found"),
    ],
)
def test_what_is_no_face_is_refused_in_words(page, data, words):
    """The reason alone: the page knows the name."""
    answer = give(page, data)
    assert answer.status_code == 422
    assert re.search(words, answer.json()["error"])


def test_names_are_harmless(page, faces):
    """No control characters, no endless names, no path that is followed."""
    data = (faces / "p02_happy_4.jpg").read_bytes()
    assert give(page, data, "\u202egnp\x07.exe").json()["name"] == "\\u202egnp\\x07.exe"
    assert len(give(page, data, "x" * 900 + ".jpg").json()["name"]) == 200
    assert give(page, data, " ").json()["name"] == "a picture"
    answer = give(page, data, "<script>alert(1)</script>.jpg").json()
    said = page.get(f"/window/faces/{answer['faces'][0]['id']}").json()
    assert "<script>" not in said["html"]


def test_what_is_not_in_memory_is_not_found(page, faces):
    """Names that nobody gave, and pictures that were forgotten."""
    given = give(page, (faces / "p02_happy_4.jpg").read_bytes()).json()
    face = given["faces"][0]["id"]
    assert page.post("/window/forget", json={"pictures": [given["id"], UNKNOWN]}).status_code == 200
    for address in (
        *(f"/window/pictures/{name}.jpg" for name in (given["id"], UNKNOWN)),
        *(f"/window/faces/{name}{what}" for name in (face, UNKNOWN)
          for what in ("", "/pixels.jpg", "/figure.png", "/row.csv")),
    ):  # fmt: skip
        answer = page.get(address)
        assert answer.status_code == 404, address
        assert answer.json()["error"].startswith("This picture is no longer in memory")
    assert page.post("/window/rows.csv", json={"faces": [face]}).status_code == 404


def test_who_comes_to_a_busy_server_is_told_when_to_come_again(desk, page, faces):
    """429 with Retry-After, for pictures and questions; then it goes on."""
    data = (faces / "p02_happy_4.jpg").read_bytes()
    face = give(page, data).json()["faces"][0]["id"]
    go, full = threading.Event(), threading.Event()

    async def fill():
        work = [asyncio.create_task(desk.work(go.wait, 60)) for _ in range(desk.waiting)]
        await asyncio.sleep(0)
        full.set()
        await asyncio.gather(*work)

    others = threading.Thread(target=lambda: asyncio.run(fill()))
    others.start()
    full.wait()
    try:
        for answer in (give(page, data), page.get(f"/window/faces/{face}")):
            assert answer.status_code == 429
            assert int(answer.headers["retry-after"]) > 0
            assert "try again" in answer.json()["error"]
    finally:
        go.set()
        others.join()
    assert page.get(f"/window/faces/{face}").status_code == 200


def test_who_closes_the_page_causes_no_work(window, faces):
    """A picture that waits for its turn is given up; the place in the queue is free."""
    desk, data = window.desk, (faces / "p02_happy_4.jpg").read_bytes()
    begun, go = threading.Event(), threading.Event()

    def block():
        begun.set()
        go.wait(60)

    other = threading.Thread(target=lambda: asyncio.run(desk.work(block)))
    other.start()

    def until(waiting):
        for _ in range(600):
            if desk.begun()["computing"] == waiting:
                return
            time.sleep(0.05)
        raise AssertionError(desk.begun())

    try:
        begun.wait()
        before = desk.worked()["computing"]
        host, port = window.base.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as visitor:
            visitor.sendall(
                f"POST /window/pictures HTTP/1.1\r\nHost: {host}:{port}\r\n"
                f"Origin: {window.base}\r\nContent-Length: {len(data)}\r\n\r\n".encode()
                + data
            )
            until(2)
        until(1)
    finally:
        go.set()
        other.join()
    assert desk.worked()["computing"] == before


def test_what_nobody_foresaw_is_told_without_its_cause(desk, page, monkeypatch, caplog):
    """The log has the cause, the page a sentence."""

    async def fail(*_):
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(desk, "decode", fail)
    answer = give(page, png())
    assert answer.status_code == 500
    assert answer.json() == {"error": "Something went wrong here; the log of the server says what."}
    assert "secret" in caplog.text


def test_the_example_is_read_once_for_all(page):
    """A rendered face that says so; every visitor gets the same one until it is forgotten."""
    first = page.get("/window/example").json()
    assert first["name"] == "a rendered face of the sample"
    assert page.get("/window/example").json()["id"] == first["id"]
    page.post("/window/forget", json={"pictures": [first["id"]]})
    assert page.get("/window/example").json()["id"] != first["id"]


def test_pictures_are_stored_only_where_that_was_asked(desk, page, faces, tmp_path):
    """The page says which; the example is never stored; what cannot be stored is not shown."""
    data = (faces / "p02_happy_4.jpg").read_bytes()
    assert "not stored" in page.get("/").text
    keeping = visitor(desk, keep=tmp_path)
    assert "are stored there" in keeping.get("/").text
    keeping.get("/window/example")
    assert give(keeping, b"hello").status_code == 422
    assert list(tmp_path.iterdir()) == []
    assert give(keeping, data).status_code == 200
    stored = {path.suffix: path for path in tmp_path.iterdir()}
    assert stored[".jpg"].read_bytes() == data
    assert json.loads(stored[".json"].read_text())[0]["expressed"] == "happy"
    (tmp_path / "file").write_text("")
    answer = give(visitor(desk, keep=tmp_path / "file"), data)
    assert answer.status_code == 507
    assert answer.json()["error"].startswith("It was read, but cannot be kept: ")


def test_other_sites_cannot_give_pictures(page, faces):
    """The guard of the rating room stands before this page, too."""
    for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}):
        answer = page.post("/window/pictures", content=b"x", headers=headers)
        assert answer.status_code in (403, 421)
    assert "camera=(self)" in page.get("/").headers["permissions-policy"]
    assert "default-src 'none'" in page.get("/").headers["content-security-policy"]
