"""Label Studio both ways, through what its import does to a file."""

import copy
import itertools

import msgspec
import pandas as pd
import pytest

from emorank.answers.answers_table import answers_table
from emorank.answers.declared import declared, parse_words
from emorank.answers.formats.label_studio import read_label_studio, write_label_studio
from emorank.answers.formats.labeling_config import (
    LabelingConfig,
    labeling_config,
    read_labeling_config,
)
from emorank.errors import VotesError
from emorank.evaluation.raters.ratings import ratings
from emorank.room.sources import read_source


def tasks_of(answers, path, **options):
    write_label_studio(answers, path, **options)
    return msgspec.json.decode(path.read_bytes())


def through_label_studio(tasks):
    """What an export holds after the import of `tasks`.

    As label_studio/tasks/serializers.py does it: `data` is kept whole; of an annotation `result`,
    `was_cancelled`, `lead_time` and `ground_truth` (true if unsaid) are; `id` becomes `import_id`;
    ids, times and the annotator are those of the import. The server itself is hundreds of
    megabytes, so this stands for it.
    """
    numbers = itertools.count(5000)
    exported = []
    for task in copy.deepcopy(tasks):
        annotations = [
            {
                "id": next(numbers),
                "completed_by": {"id": 1, "email": "owner@example.org", "first_name": ""},
                "result": one["result"],
                "was_cancelled": one.get("was_cancelled", False),
                "ground_truth": one.get("ground_truth", True),
                "created_at": "2026-06-01T00:00:00.000000Z",
                "updated_at": "2026-06-01T00:00:00.000001Z",
                "lead_time": one.get("lead_time"),
                "import_id": one.get("id"),
                "last_action": None,
                "task": 7,
                "project": 3,
                "parent_prediction": None,
            }
            for one in task["annotations"]
        ]
        exported.append(
            {"id": next(numbers), "annotations": annotations, "predictions": [], "drafts": [],
             "data": task["data"], "meta": {}, "project": 3, "file_upload": "x.json"}
        )  # fmt: skip
    return exported


def test_a_task_is_what_label_studio_takes(answers, tmp_path):
    """Image and emotion in data, one choice each, skips as such, nothing taken for ground truth."""
    tasks = tasks_of(answers, tmp_path / "t.json", prefix="/data/local-files/?d=")
    assert len(tasks) == 4
    data = tasks[0]["data"]
    assert data["image"] == "/data/local-files/?d=faces/%C3%BC%201.png"
    assert data["emotion"] == "happy"
    first, second, again = tasks[0]["annotations"]
    assert first["result"][0]["value"] == {"choices": ["Strong"]}
    assert first["result"][0]["type"] == "choices"
    assert (first["lead_time"], first["was_cancelled"]) == (1.234, False)
    assert {one["ground_truth"] for task in tasks for one in task["annotations"]} == {False}
    assert not any("completed_by" in one for task in tasks for one in task["annotations"])
    assert "lead_time" not in second
    assert again["id"] == 3
    (skip,) = tasks[1]["annotations"]
    assert skip["was_cancelled"]
    assert skip["result"] == []


def test_a_round_trip_through_label_studio_loses_nothing(answers, tmp_path):
    """Raters, times, repeats, skips: all there although the import rewrites most of it."""
    exported = through_label_studio(tasks_of(answers, tmp_path / "t.json"))
    pd.testing.assert_frame_equal(read_label_studio(exported), answers)
    # And the other way round: tasks and annotations in any order.
    for task in exported:
        task["annotations"].reverse()
    pd.testing.assert_frame_equal(read_label_studio(exported[::-1]), answers)


def test_what_was_changed_there_counts(answers, tmp_path):
    """A corrected choice is the answer, at the time of the correction; who and what stay."""
    exported = through_label_studio(tasks_of(answers, tmp_path / "t.json"))
    exported[0]["annotations"][0]["result"][0]["value"]["choices"] = ["Minimal"]
    exported[0]["annotations"][1]["was_cancelled"] = True
    changed = read_label_studio(exported)
    assert changed["answer"].tolist()[:2] == ["Minimal", "Skip"]
    assert changed["rater"].tolist()[:2] == ["ann", "ben"]
    assert changed["at"][0] == pd.Timestamp("2026-06-01T00:00:00.000001Z")
    assert changed["reaction_ms"][0] == 1234
    pd.testing.assert_frame_equal(changed[2:], answers[2:])


def annotation(choice=None, by=1, **others):
    result = [
        {"type": "choices", "from_name": "intensity", "to_name": "image", "id": "x",
         "value": {"choices": [choice]}}
    ]  # fmt: skip
    return {"completed_by": by, "result": result if choice else [], "project": 1} | others


def export(*annotations, **data):
    return [{"id": 9, "project": 1, "data": {"image": "a.png"} | data,
             "annotations": list(annotations)}]  # fmt: skip


def test_several_annotators_of_label_studios_own(tmp_path):
    """By e-mail or number; lead times in seconds; a second annotation of one person is a repeat."""
    found = read_label_studio(
        export(
            annotation("Strong", {"id": 4, "email": "ann@example.org"}, lead_time=2.5,
                       created_at="2026-01-01T00:00:00Z"),
            annotation("avg", 5),
            annotation("None", 5),
            annotation(by=6, was_cancelled=True, lead_time=0.7),
            annotation(by=7),
            emotion="happy",
        )
    )  # fmt: skip
    assert found["rater"].tolist() == ["ann@example.org", "5", "5", "6", "7"]
    assert found["answer"].tolist() == ["Strong", "Average", "None", "Skip", "Skip"]
    assert found["repeat"].tolist() == [False, False, True, False, False]
    assert found["reaction_ms"].tolist() == [2500, pd.NA, pd.NA, 700, pd.NA]
    assert found["emotion"].tolist() == ["happy"] * 5


def test_one_control_per_emotion():
    """`<Choices name="happy">` beside `<Choices name="fear">`: a skip is one for both."""
    both = annotation("Strong")
    both["result"][0]["from_name"] = "happy"
    both["result"].append(both["result"][0] | {"from_name": "fear", "value": {"choices": ["None"]}})
    found = read_label_studio(export(both, annotation(by=2, was_cancelled=True)))
    assert found[["emotion", "rater", "answer"]].to_numpy().tolist() == [
        ["happy", "1", "Strong"],
        ["fear", "1", "None"],
        ["fear", "2", "Skip"],
        ["happy", "2", "Skip"],
    ]


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("/data/upload/3/1a2b3c4d-happy%201.png", "happy 1.png"),
        ("/data/local-files/?d=faces/a%20b.png", "faces/a b.png"),
        ("/data/local-files/?d=faces/%237.jpg", "faces/#7.jpg"),
        ("/data/local-files/?d=faces/#7.jpg", "faces/#7.jpg"),
        ("/data/local-files/?d=faces/a&b.jpg", "faces/a&b.jpg"),
        ("/data/local-files/?d=faces/a+b.jpg", "faces/a+b.jpg"),
        ("/data/local-files/?d=faces/50%.jpg", "faces/50%.jpg"),
        ("https://ls.example.org/data/upload/3/1a2b3c4d-a%20b.png", "a b.png"),
        ("/data/upload/1a2b3c4d-a.png", "a.png"),
        ("https://example.org/a.png?x=1", "a.png"),
        ("s3://bucket/happy/a.png", "happy/a.png"),
    ],
)
def test_images_have_their_own_names(address, name):
    """Without what Label Studio puts before uploads and local files; under any key of data."""
    (task,) = export(annotation("Strong"))
    assert read_label_studio([task | {"data": {"image": address}}])["image"].tolist() == [name]
    assert read_label_studio([task | {"data": {"picture": address}}])["image"].tolist() == [name]


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        (export(annotation("Huge")), "annotation 1: control 'intensity' (choices): 'Huge' is"),
        (export(annotation("Strong", by=None)), "expected completed_by"),
        (export(annotation("Strong"), annotation("Min"), annotation("Avg")),
         "task 1, annotation 3: answer 3 of '1'"),
        (export(annotation("Strong"), emotion=3), "expected a word as data.emotion"),
        ([{"data": {"x": 1}, "annotations": [annotation("Strong")]}], "the image's address"),
        ([{"data": {}, "annotations": [{"result": 3}]}], r"$[0].annotations[0].result"),
        (export(annotation("Strong"), emorank={"image": 1}), "data.emorank is not as"),
        (export(annotation("Strong", result=[
            {"type": "choices", "value": {"choices": ["Min", "Avg"]}}])), "expected one choice"),
        (export(annotation("Strong", lead_time=1e300)), "no number of milliseconds"),
    ],
)  # fmt: skip
def test_what_is_refused(task, expected):
    """Task and annotation are named."""
    with pytest.raises(VotesError) as caught:
        read_label_studio(task)
    assert expected in str(caught.value)


def test_an_export_is_recognised(tmp_path):
    """By its structure."""
    (tmp_path / "project-3-at-2026.json").write_bytes(
        msgspec.json.encode(export(annotation("Strong")))
    )
    assert read_source(tmp_path / "project-3-at-2026.json").format == "label-studio"


def test_the_configuration_is_read_back():
    """Ours; and its keys are those of the rating room."""
    xml = labeling_config()
    assert read_labeling_config(xml) == LabelingConfig()
    assert '<Choice value="Strong" hotkey="3"/>' in xml
    odd = LabelingConfig(question='How "strong" is <it> & why?', choices=("Min", "Str"))
    assert read_labeling_config(labeling_config(odd)) == odd


def test_a_labs_own_configuration(tmp_path):
    """Tasks are written for its names."""
    xml = (
        '<View><Image name="img" value="$photo"/><Choices name="rank" toName="img">'
        '<Choice value="Minimal"/><Choice value="Strong"/></Choices></View>'
    )
    config = read_labeling_config(xml)
    table = answers_table([{"image": "a", "rater": "r", "answer": "Strong"}])
    (task,) = tasks_of(table, tmp_path / "t.json", config=config)
    assert task["data"]["photo"] == "a"
    result = task["annotations"][0]["result"][0]
    assert (result["from_name"], result["to_name"]) == ("rank", "img")


@pytest.mark.parametrize(
    ("xml", "expected"),
    [
        ('<!DOCTYPE x [<!ENTITY a "b">]><View/>', "without <!"),
        ("<View>" + " " * 200_000, "at most 100,000"),
        ("<View>", "is no XML"),
        ("<View/>", "one <Image> and one <Choices>, came 0 and 0"),
        ('<View><Image name="a"/><Choices toName="b"/></View>', "for the <Image>"),
        ('<View><Image name="a"/><Choices toName="a" choice="multiple"/></View>', "choice=single"),
        ('<View><Image name="a"/><Choices toName="a"><Choice value="Huge"/></Choices></View>',
         "no answer"),
    ],
)  # fmt: skip
def test_configurations_that_are_refused(xml, expected):
    """Entities are not even parsed."""
    with pytest.raises(VotesError) as caught:
        read_labeling_config(xml)
    assert expected in str(caught.value)


def test_the_longest_configuration_is_read():
    """One character more is refused."""
    xml = labeling_config()
    longest = xml + " " * (100_000 - len(xml))
    assert read_labeling_config(longest) == LabelingConfig()
    with pytest.raises(VotesError, match="at most 100,000"):
        read_labeling_config(longest + " ")


def test_what_is_missing_is_not_written(answers, tmp_path):
    """No null, no false, no empty time; a time that is there is written in both places."""
    (first, *_) = tasks_of(answers, tmp_path / "t.json")
    ann, ben, again = first["data"]["emorank"]["answers"]
    assert "repeat" not in ann
    assert again["repeat"] is True
    assert not {"reaction_ms", "hidden_ms", "at"} & ben.keys()
    annotation, other, _ = first["annotations"]
    assert annotation["created_at"] == ann["at"] == "2026-03-01T10:00:00.123456789Z"
    assert annotation["lead_time"] == 1.234
    assert not {"created_at", "lead_time"} & other.keys()
    unknown = next(
        task for task in tasks_of(answers, tmp_path / "t.json") if "emotion" not in task["data"]
    )
    assert "emotion" not in unknown["data"]["emorank"]


def result(value, control="intensity", kind="choices", **others):
    """A result; `value` is a word, a number, or the whole value of other kinds."""
    whole = {kind: [value] if kind == "choices" else value}
    return {"type": kind, "from_name": control, "to_name": "image", "value": whole | others}


def given(*results, by=1, **others):
    return annotation(by=by, **others) | {"result": list(results)}


def refusal(tasks, **said):
    with pytest.raises(VotesError) as caught:
        read_label_studio(tasks, declared(**said))
    return str(caught.value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("taxonomy", [["Strong"]]),
        ("textarea", ["Strong"]),
        ("pairwise", "left"),
        ("ranker", {"a": 1}),
        ("rating", "3"),
        ("", None),
    ],
)
def test_results_without_a_rank_are_refused(kind, value):
    """They are not Skip; task, annotation, control and type are named."""
    tasks = [*export(annotation("Strong")), *export(given(result(value, "notes", kind)))]
    said = refusal(tasks[1:])
    assert f"task 1, annotation 1: control 'notes' ({kind or 'no type'})" in said
    assert "task 2, annotation 1" in refusal(tasks)  # beside a control that is understood


def test_a_choice_without_a_word_is_refused():
    """A value of another form is no skip."""
    assert "expected one choice" in refusal(export(given(result("x") | {"value": 3})))


def test_ratings_and_numbers_need_a_meaning():
    """By a cut or a map; without one the number and the control are named."""
    tasks = export(*(given(result(n, "stars", "rating"), by=n) for n in (1, 3, 5)))
    said = refusal(tasks)
    assert "task 1, annotation 1: control 'stars' (rating): the number 1 is no rank" in said
    assert "--cut" in said
    assert read_label_studio(tasks, declared(cut=(2, 3, 5)))["answer"].tolist() == [
        *("None", "Average", "Strong"),
    ]
    words = {"1": "Minimal", "3.0": "avg", "5": "3"}
    found = read_label_studio(tasks, declared(words=words))
    assert found["answer"].tolist() == ["Minimal", "Average", "Strong"]
    numbers = export(given(result(37.5, "slider", "number")))
    assert read_label_studio(numbers, declared(cut=(10, 30, 60)))["answer"].tolist() == ["Average"]


def test_words_of_a_labs_own_need_a_map():
    """All that were seen are named."""
    tasks = export(*(annotation(word, by=n) for n, word in enumerate(("Low", "Medium", "High"))))
    assert (
        "'intensity' (choices: 'Low', 'Medium', 'High'; first in task 1, annotation 1)"
        in refusal(tasks)
    )
    found = read_label_studio(tasks, declared(words=parse_words("low=Min, Medium=Avg,High=Str")))
    assert found["answer"].tolist() == ["Minimal", "Average", "Strong"]


def test_the_only_control_that_holds_ranks_is_read():
    """Words of another say nothing of intensity."""
    both = (result("Average"), result("blurry", "quality"))
    found = read_label_studio(export(given(*both), given(*both, by=2), emotion="happy"))
    assert found[["emotion", "rater", "answer"]].to_numpy().tolist() == [
        ["happy", "1", "Average"],
        ["happy", "2", "Average"],
    ]


@pytest.mark.parametrize(
    "other", [result("2", "size"), result("None", "blur"), result(4, "stars", "rating")]
)
def test_of_several_controls_one_has_to_be_chosen(other):
    """Where another may hold ranks too; an annotation without the chosen one is a skip."""
    tasks = export(given(result("Strong"), other), given(other, by=2))
    said = refusal(tasks)
    assert "'intensity' (choices: 'Strong'; first in task 1, annotation 1)" in said
    assert f"'{other['from_name']}' ({other['type']}" in said
    assert "--control" in said
    found = read_label_studio(tasks, declared(control="intensity"))
    assert found["answer"].tolist() == ["Strong", "Skip"]
    assert "no control 'mood'; there are 'intensity'" in refusal(tasks, control="mood")


def test_words_that_are_not_understood_may_be_the_ranks():
    """Beside numbers, or None alone, they are not left aside: a control has to be chosen."""
    for word in ("2", "None"):
        tasks = export(given(result("Low"), result(word, "quality")))
        said = refusal(tasks)
        assert "several controls may hold the answers: 'quality'" in said
        assert "'intensity' (choices: 'Low'" in said
        assert "'Low' is no answer" in refusal(tasks, control="intensity")
    assert read_label_studio(tasks, declared(words={"Low": "Minimal"}, control="intensity"))[
        "answer"
    ].tolist() == ["Minimal"]
    text = result(["too dark"], "note", "textarea")
    only = export(given(result("2"), result("Happy", "emotion"), text))
    assert read_label_studio(only)["answer"].tolist() == ["Average"]


def test_a_control_may_say_which_emotion():
    """Where the task does not; raters who saw others are asked other questions."""
    tasks = export(
        given(result("Happy", "emotion"), result("Minimal")),
        given(result("joy", "emotion"), result("Strong"), by=2),
        given(by=3, was_cancelled=True),
    )
    found = read_label_studio(tasks)
    assert found["emotion"].tolist() == ["happy"] * 3
    assert found["answer"].tolist() == ["Minimal", "Strong", "Skip"]
    tasks[0]["data"]["emotion"] = "surprise"
    assert set(read_label_studio(tasks)["emotion"]) == {"surprise"}


def test_a_control_of_an_emotion_beside_one_of_the_task():
    """Two controls named after emotions, and a task that names one: nobody knows which counts."""
    tasks = export(given(result("Strong", "happy"), result("None", "fear")), emotion="happy")
    assert "choose one with --control" in refusal(tasks)
    found = read_label_studio(tasks, declared(control="happy"))
    assert found[["emotion", "answer"]].to_numpy().tolist() == [["happy", "Strong"]]


def test_who_skipped_and_then_answered_has_answered():
    """The answer is no repeat; without one the skip counts once, whatever its results."""
    skipped = given(result("Strong"), was_cancelled=True)
    found = read_label_studio(export(skipped, annotation("Minimal"), annotation("Strong")))
    assert found["answer"].tolist() == ["Minimal", "Strong"]
    assert found["repeat"].tolist() == [False, True]
    assert read_label_studio(export(skipped, skipped))["answer"].tolist() == ["Skip"]


def test_the_first_showing_is_the_earlier_one():
    """Whatever their order in the file; the same picture in two tasks was shown twice."""
    late = annotation("Strong", created_at="2026-01-02T00:00:00Z")
    early = annotation("Minimal", created_at="2026-01-01T00:00:00Z")
    for tasks in (export(late, early), export(late) + export(early)):
        found = read_label_studio(tasks).sort_values("answer")
        assert found["repeat"].tolist() == [False, True]


def test_regions_are_different_faces():
    """Two in one annotation, or apart from each other in two; the same face drawn twice is one."""
    left = {"id": "l", **result("Strong", x=10, y=10, width=20, height=20)}
    right = {"id": "r", **result("Minimal", x=60, y=10, width=20, height=20)}
    assert "2 regions, which are different faces" in refusal(export(given(left, right)))
    assert "2 regions" in refusal(export(given(left), given(right, by=2)))
    same = {"id": "s", **result("Minimal", x=12, y=9, width=21, height=20)}
    assert len(read_label_studio(export(given(left), given(same, by=2)))) == 2
    assert "several regions" in refusal(export(given(left, same)))
    boxes = [{**one, "type": "rectangle", "from_name": "box"} for one in (left, right)]
    answers = [result("Strong") | {"id": name} for name in "lr"]  # the places are the boxes'
    apart = (given(boxes[0], answers[0]), given(boxes[1], answers[1], by=2))
    assert "2 regions" in refusal(export(*apart))
    assert "2 regions" in refusal(export(given(*boxes, *answers)))
    assert len(read_label_studio(export(given(*boxes, result("Strong"))))) == 1
    drawn = {"id": "d", **result("Minimal", points=[[0, 0]])}
    assert "2 regions" in refusal(export(given(left), given(drawn, by=2)))


def test_presigned_addresses_of_one_picture_are_one_unit():
    """The kappa of two exports is that of one picture."""
    host = "https://b.s3.amazonaws.com/happy/p1.png?X-Amz-Signature="
    tasks = export(annotation("Strong"), image=host + "aaa")
    tasks += export(annotation("Strong", by=2), image=host + "bbb")
    found = read_label_studio(tasks)
    assert found["image"].tolist() == ["happy/p1.png"] * 2
    assert len(ratings(found).levels) == 1


def test_questions_under_another_name_are_not_mixed():
    """Two tasks of one image that name two emotions elsewhere are no showing and its repeat."""
    tasks = export(annotation("Strong"), image="a.png", Emotion="happy")
    tasks += export(annotation("None"), image="a.png", Emotion="Sad")
    for task in tasks:
        task["data"].pop("emotion", None)
    said = refusal(tasks)
    assert "task 2, annotation 1: data.Emotion names sadness, and happy at task 1" in said
    tasks[1]["data"]["Emotion"] = "JOY"
    assert read_label_studio(tasks)["repeat"].tolist() == [False, True]
    for task, word in zip(tasks, ("happy", "sad"), strict=True):
        task["data"] |= {"emotion": word, "Emotion": word}
    assert len(read_label_studio(tasks)["emotion"].unique()) == 2


def test_uploads_of_one_name_may_be_different_pictures():
    """They are refused, not taken for one."""
    tasks = export(annotation("Strong"), image="/data/upload/1/1a2b3c4d-p.jpg")
    tasks += export(annotation("Minimal", by=2), image="/data/upload/1/5e6f7a8b-p.jpg")
    assert "may be different pictures" in refusal(tasks)
    assert len(read_label_studio(tasks[:1] + tasks[:1])) == 2


@pytest.mark.parametrize(
    ("tasks", "expected"),
    [
        (export(annotation("Strong"), image=["a.png", "b.png"]), "data.image is a list of 2"),
        (export(annotation("Strong"), image={"a": 1}), "came image: {'a': 1}"),
        ([{"data": {"image": "a"}, "completions": [{"result": []}]}], "task 1: has 'completions'"),
        ([{"data": {"image": "a"}}, {"data": {"image": "b"}}], "2 tasks and no annotation"),
        ([{"data": {"image": "a"}, "predictions": [{"result": []}]}], "1 tasks and no annotation"),
    ],
)
def test_exports_in_which_nothing_is_understood(tasks, expected):
    """They are not read as no images and no raters."""
    assert expected in refusal(tasks)
