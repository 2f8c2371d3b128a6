"""What the service answers: the rows and maps of the library, and problems in words."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from tests.rooms import ORIGIN
from tests.web.conftest import Visitor
from tests.web.test_decoders import png

import emorank
from emorank.errors import StudyError
from emorank.reading.ready import ready_network
from emorank.relevance import Difference
from emorank.study.folder import Study
from emorank.study.plan import Plan
from emorank.web.safety import Guard, origins
from emorank.web.service.problems import KINDS, PAGES
from emorank.web.service.uploads import MOST
from emorank.web.window.app import make_app

JPEG = {"Content-Type": "image/jpeg"}
GREY = png(np.full((64, 64, 3), 128, np.uint8))


@pytest.fixture
def program(shared_desk):
    """A program that asks a server of this machine; it sends no origin."""
    visitor = Visitor(make_app(shared_desk, origins(ORIGIN, "127.0.0.1", 8321)))
    del visitor.headers["Origin"]
    return visitor


def problem(answer, kind):
    """The problem of an answer, which must be of a kind."""
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert (told["type"], told["title"]) == (PAGES + kind, KINDS[kind].title)
    assert told["status"] == answer.status_code == KINDS[kind].status
    assert told["instance"].startswith("/")
    return told


def same(row, expected):
    """A row of JSON is a row of the reader, to the digit."""
    assert list(row) == list(expected)
    for name, value in expected.items():
        if isinstance(value, float | np.floating):
            assert np.isnan(value) if row[name] is None else np.float32(row[name]) == value
        else:
            assert row[name] == value


def test_rows_are_those_of_the_reader(program, face_file):
    """By the default rank, and by several, of one emotion, of the whole picture."""
    for asked, options in (
        ("", {}),
        ("?rank=paper&rank=contrast&nearest=true", {"rank": ["paper", "contrast"]}),
        ("?emotion=anger&crop=none", {"emotion": "anger", "crop": "none"}),
    ):
        answer = program.post(f"/v1/faces{asked}", content=face_file, headers=JPEG)
        (expected,) = emorank.read(face_file, names=["picture"], heatmaps=False, **options)
        (picture,) = answer.json()["pictures"]
        assert (picture["image"], picture["width"], picture["reason"]) == ("picture", 224, None)
        same(picture["faces"][0], expected.row)


def test_several_pictures_each_have_faces_or_a_reason(program, face_file):
    """In their order; one that cannot be read costs the others nothing, whatever it is called."""
    files = [
        ("a", ("../../etc/passwd", face_file, "text/plain")),
        ("a", ("C:\\\\ä\n.txt", b"https://evil.example/face.png")),
        ("b", ("grey.png", GREY)),
        ("c", (None, face_file)),
    ]
    answer = program.post("/v1/faces", files=files).json()
    assert answer["network"] == "expression"
    names = [picture["image"] for picture in answer["pictures"]]
    assert (names[0], names[2], names[3]) == ("passwd", "grey.png", "picture 4")
    assert names[1].endswith(".txt")
    assert [len(picture["faces"]) for picture in answer["pictures"]] == [1, 0, 0, 1]
    reasons = [picture["reason"] for picture in answer["pictures"]]
    assert "is a text file" in reasons[1]
    assert reasons[2] == "no face was found"
    assert [picture["width"] for picture in answer["pictures"]] == [224, None, 64, 224]


def test_no_picture_and_no_address_is_fetched(program, monkeypatch):
    """Addresses and paths are text, which is no picture; nothing is opened or asked."""

    def refuse(*_, **__):
        raise AssertionError("something was opened")

    monkeypatch.setattr("socket.create_connection", refuse)
    monkeypatch.setattr("emorank.images._opened", refuse)
    for text in (b"https://evil.example/face.png", b"file:///etc/passwd", b"/etc/passwd"):
        told = problem(program.post("/v1/faces", content=text, headers=JPEG), "picture")
        assert "is a text file" in told["detail"]
        assert told["pictures"][0]["faces"] == []
    told = problem(program.post("/v1/explanations", content=b"x", headers=JPEG), "picture")
    assert told["detail"].startswith("picture: ")


@pytest.mark.parametrize(
    ("body", "kind", "problem_kind"),
    [
        (b"x", "", "media-type"),
        (b"x", "text/plain", "media-type"),
        (b"{}", "application/json", "media-type"),
        (b"", "image/png", "picture"),
        (b"--x--\r\n", "multipart/form-data; boundary=x", "picture"),
        (b"x", "multipart/form-data", "malformed"),
        (b"x", f"multipart/form-data; boundary={'x' * 201}", "malformed"),
        (b"what", "multipart/form-data; boundary=x", "malformed"),
        (b"--x\r\n\r\nhalf", "multipart/form-data; boundary=x", "malformed"),
        (b"--x\r\n" + b"a: b\r\n" * 99 + b"\r\n", "multipart/form-data; boundary=x", "malformed"),
    ],
)
def test_bodies_of_other_kinds_are_refused(program, body, kind, problem_kind):
    """Each with what was expected."""
    headers = {"Content-Type": kind} if kind else {}
    problem(program.post("/v1/faces", content=body, headers=headers), problem_kind)


def test_pictures_of_a_request_are_bounded(program):
    """One more is refused."""
    files = [("a", (f"{number}.png", b"x")) for number in range(MOST + 1)]
    told = problem(program.post("/v1/faces", files=files), "too-large")
    assert f"at most {MOST}" in told["detail"]
    problem(program.post("/v1/faces", files=files[1:]), "picture")


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("faces?rank=size", "'size' is no rank; expected one of contrast"),
        ("faces?rank=calibrated", "learns from the faces of a study"),
        ("faces?emotion=hunger", "'hunger' names no emotion"),
        ("faces?emotion=contempt", "the model knows that of happy"),
        ("faces?crop=center", "crop=center: expected none or face"),
        ("faces?nearest=perhaps", "nearest: "),
        ("faces?ranks=paper", "ranks: "),
        ("faces?emotion=" + "x" * 33, "emotion: "),
        ("explanations?face=2", "face=2: the picture has 1 face"),
        ("explanations?face=0", "face: "),
        ("explanations?preset=magic", "'magic' is no preset; expected one of epsilon"),
        ("explanations?against=hunger", "'hunger' names no emotion"),
        ("explanations?against=contempt", "against=contempt: the face expresses happy; expected"),
        ("explanations?against=happy", "against=happy: the face expresses happy; expected"),
    ],
)
def test_questions_that_cannot_be_answered(program, face_file, question, words):
    """What came, and what is possible."""
    told = problem(program.post(f"/v1/{question}", content=face_file, headers=JPEG), "question")
    assert words in told["detail"]


def test_where_the_study_lies_is_not_told(program, shared_desk, face_file, monkeypatch, tmp_path):
    """Its name is."""
    folder = tmp_path / "mine"
    monkeypatch.setattr(shared_desk, "study", Study(folder, Plan()))

    def lacking(*_, **__):
        raise StudyError(f"{folder}: no calibration; emorank calibrate --study {folder}")

    monkeypatch.setattr(shared_desk, "reader", lacking)
    answer = program.post("/v1/faces?rank=calibrated", content=face_file, headers=JPEG)
    told = problem(answer, "question")["detail"]
    assert told == "mine: no calibration; emorank calibrate --study mine"


def test_an_explanation_is_a_figure_or_raw_relevance(program, face_file):
    """By the header Accept; the arrays are the reader's, and read without pickle."""
    drawn = program.post("/v1/explanations", content=face_file, headers=JPEG)
    assert drawn.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(drawn.content)).size[0] > 500
    for kind in ("application/x-npz", "application/octet-stream"):
        answer = program.post(
            "/v1/explanations", content=face_file, headers=JPEG | {"Accept": kind}
        )
        assert answer.headers["content-type"] == kind
    found = np.load(io.BytesIO(answer.content), allow_pickle=False)
    (expected,) = emorank.read(face_file, names=["picture"])
    np.testing.assert_array_equal(found["relevance"], expected.heatmap)
    np.testing.assert_array_equal(found["pixels"], expected.pixels)
    assert (found["explained"], found["against"]) == ("happy", "neutral")
    assert found["preset"] == ready_network().heatmap
    same(json.loads(str(found["row"])), expected.row)
    for name, share in zip(found["classes"], found["probabilities"], strict=True):
        assert expected.row[f"p_{name}"] == share
    refused = program.post(
        "/v1/explanations", content=face_file, headers=JPEG | {"Accept": "text/html"}
    )
    problem(refused, "not-acceptable")


def test_an_explanation_against_another_emotion_is_that_of_the_library(program, face_file):
    """Of an emotion that one asks for, by a preset that one asks for."""
    asked = "/v1/explanations?emotion=sadness&against=fear&preset=epsilon"
    headers = JPEG | {"Accept": "application/x-npz"}
    answer = program.post(asked, content=face_file, headers=headers)
    found = np.load(io.BytesIO(answer.content), allow_pickle=False)
    net = ready_network()
    of, against = (list(net.classes).index(name) for name in ("sadness", "fear"))
    (face,) = emorank.read(face_file)
    start = emorank.propagate_relevance(
        net.net,
        emorank.normalise_images([face.pixels], net.normalisation),
        target=Difference(of, against),
        preset="epsilon",
        low=net.normalisation.bounds()[0],
        high=net.normalisation.bounds()[1],
    )
    np.testing.assert_allclose(found["relevance"], start.pixels[0].numpy(), rtol=1e-4, atol=1e-7)
    assert (found["explained"], found["against"]) == ("sadness", "fear")
    assert program.post(asked, content=face_file, headers=JPEG).content.startswith(b"\x89PNG")
    two = program.post("/v1/explanations", files=[("a", ("a", b"x")), ("b", ("b", b"x"))])
    assert "expected one picture, got 2" in problem(two, "question")["detail"]


def test_the_network_and_what_it_is_not_for(program):
    """What may be asked of it."""
    answer = program.get("/v1/networks").json()
    (network,) = answer["networks"]
    assert network["ranks"] == ["contrast", "paper", "probability", "logit"]
    assert network["classes"] == [str(one) for one in ready_network().classes]
    assert "epsilon" in network["presets"]
    assert "workplace" in answer["not_for"]


def test_there_is_nothing_elsewhere(program):
    """Unknown addresses and methods are problems too; each kind of problem has a page."""
    problem(program.get("/v1/nothing"), "not-found")
    for method in ("GET", "PUT", "DELETE", "OPTIONS", "TRACE", "INVENT"):
        answer = program.request(method, "/v1/faces")
        problem(answer, "method")
        assert answer.headers["allow"] == "POST"
    problem(program.post("/v1/networks"), "method")
    for kind in KINDS:
        assert KINDS[kind].advice in program.get(PAGES + kind).text
    assert program.get(f"{PAGES}another").status_code == 404


def test_refusals_of_the_guard_are_problems(program):
    """Where programs ask; the sentence is the detail."""
    for headers, kind in (
        ({"Host": "evil.example"}, "another-name"),
        ({"Origin": "https://evil.example"}, "another-site"),
        ({"Content-Length": "x"}, "malformed"),
        ({"Content-Length": "99999999999"}, "too-large"),
    ):
        problem(program.post("/v1/faces", headers=headers), kind)
    assert program.get("/healthz", headers={"Host": "evil.example"}).status_code == 421


def test_where_no_more_bodies_can_be_held(program):
    """A problem with Retry-After, before anything is read."""
    guard = program.app
    full = Visitor(Guard(guard.app, guard.origins, replace(guard.rules, held=9), guard.attendant))
    answer = full.post("/v1/faces", content=bytes(10), headers=JPEG)
    problem(answer, "unavailable")
    assert answer.headers["retry-after"] == "2"


def test_an_answer_that_takes_too_long_is_given_up(program, face_file, monkeypatch):
    """The time of a request is bounded, its waiting included; nothing of it is left."""
    monkeypatch.setattr("emorank.web.service.reading.SECONDS", 0.0)
    for path in ("/v1/faces", "/v1/explanations"):
        told = problem(program.post(path, content=face_file, headers=JPEG), "unavailable")
        assert "not ready within 0 seconds" in told["detail"]
    assert program.app.app.state.desk.begun()["seats"] == 0


def test_counts_are_prometheus_text(program, face_file):
    """By the pattern of the route; a stranger can make up neither routes nor methods."""
    program.post("/v1/faces", content=face_file, headers=JPEG)
    program.post("/v1/faces", content=b"x", headers=JPEG)
    for number in range(20):
        program.get(f"/v1/made-up/{number}")
        program.request(f"M{number}", "/v1/faces")
    answer = program.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = answer.text.splitlines()
    count = 'emorank_requests_total{method="POST",route="/v1/faces",status="%d"} 1.0'
    assert count % 200 in lines
    assert count % 422 in lines
    assert 'emorank_requests_total{method="GET",route="none",status="404"} 20.0' in lines
    assert 'emorank_requests_total{method="other",route="none",status="405"} 20.0' in lines
    assert 'emorank_request_seconds_count{route="/v1/faces"} 2.0' in lines
    assert any(line.startswith("emorank_decoder_deaths_total") for line in lines)
    assert any(line.startswith("emorank_decoder_resident_memory_bytes ") for line in lines)
    again = Visitor(make_app(program.app.app.state.desk, program.app.origins))
    assert count % 200 not in again.get("/metrics").text  # each server has its own


def test_numbers_that_json_has_not_are_null(program, shared_desk, face_file):
    """A rank without levels has none: null, and not NaN."""
    answer = program.post("/v1/faces?rank=probability", content=face_file, headers=JPEG)
    row = json.loads(answer.content, parse_constant=pytest.fail)["pictures"][0]["faces"][0]
    assert (row["rank"], row["abstained"]) == (None, True)
