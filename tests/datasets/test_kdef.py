"""KDEF: persons over two sessions, angles, misnamed and black files."""

import pytest

from emorank.datasets import kdef
from emorank.errors import DatasetError, PlanError

CODES = ("AF", "AN", "DI", "HA", "NE", "SA", "SU")


@pytest.fixture
def root(tmp_path, picture):
    """Two persons, both sessions, two angles, and AKDEF beside them."""
    for person in ("F01", "M02"):
        for session in "AB":
            for code in CODES:
                for angle in ("S", "HL"):
                    name = f"{session}{person}"
                    picture(tmp_path / "KDEF" / name / f"{name}{code}{angle}.JPG")
    picture(tmp_path / "AKDEF" / "FAFFL.JPG")
    return tmp_path


def test_straight_view_of_both_sessions_by_default(root):
    """14 images a person; A and B are the same person; AKDEF and other angles are told."""
    assert kdef.recognise(root)
    data = kdef.load(root)
    assert data.table.groupby("person").size().to_dict() == {"F01": 14, "M02": 14}
    assert data.table["emotion"].value_counts().to_dict() == dict.fromkeys(
        ("fear", "anger", "disgust", "happy", "neutral", "sadness", "surprise"), 4
    )
    assert data.table["image"].str.endswith("S.JPG").all()
    genders = data.table.groupby("person")["gender"].unique().to_dict()
    assert {person: list(g) for person, g in genders.items()} == {
        "F01": ["female"],
        "M02": ["male"],
    }
    reasons = [problem.reason for problem in data.problems]
    assert "averages, not persons" in reasons
    assert any(reason.startswith("28 images of other angles") for reason in reasons)
    assert any("expected 980 images as published, found 28" in reason for reason in reasons)


@pytest.mark.parametrize(
    ("options", "found", "expected"),
    [
        ({"session": "A"}, 14, 490),  # Table 2 of the paper
        ({"angle": "HL"}, 28, 980),
        ({"angle": "all"}, 56, 4900),
        ({"angle": "all", "session": "B"}, 28, 2450),
    ],
)
def test_angle_and_session_are_options(root, options, found, expected):
    """The published count follows the view."""
    data = kdef.load(root, **options)
    assert len(data.table) == found
    assert sum(data.card.counts.values()) == expected


def test_a_flat_folder_in_lower_case(tmp_path, picture):
    """All files in one folder, converted, is KDEF too."""
    picture(tmp_path / "af01ans.png")
    picture(tmp_path / "bf01haS.png")
    assert kdef.recognise(tmp_path)
    table = kdef.load(tmp_path).table
    assert table["person"].tolist() == ["F01", "F01"]
    assert table["emotion"].tolist() == ["anger", "happy"]


def test_misnamed_and_black_files_are_left_out(root, picture):
    """The two known misnamed files, and pictures that show nothing."""
    picture(root / "KDEF" / "AF31" / "AF31V.JPG")
    picture(root / "KDEF" / "AM31" / "AM31H.JPG")
    picture(root / "KDEF" / "AF01" / "AF01ANS.JPG", grey=2)
    data = kdef.load(root)
    reasons = {problem.file: problem.reason for problem in data.problems}
    assert "AF31SAHL" in reasons["KDEF/AF31/AF31V.JPG"]
    assert "AM31SUHR" in reasons["KDEF/AM31/AM31H.JPG"]
    assert reasons["KDEF/AF01/AF01ANS.JPG"] == "is a black picture"
    assert len(data.table) == 27


def test_unknown_options_and_folders_are_refused(root, tmp_path, picture):
    """No such angle, nothing of an angle, another folder."""
    with pytest.raises(PlanError, match="no angle 'front'"):
        kdef.load(root, angle="front")
    with pytest.raises(DatasetError, match="of angle FR and session AB"):
        kdef.load(root, angle="FR")
    other = tmp_path / "other"
    picture(other / "a.png")
    assert not kdef.recognise(other)
    with pytest.raises(DatasetError, match="expected KDEF's files"):
        kdef.load(other)


def test_a_corrupt_file_is_left_to_the_stage_that_reads_it(root):
    """The table is made from names; what cannot be decoded is listed where it is decoded."""
    (root / "KDEF" / "AF01" / "AF01ANS.JPG").write_bytes(b"\xff\xd8\xff broken")
    assert len(kdef.load(root).table) == 28


def test_only_small_dark_files_are_black(root, tmp_path, picture):
    """The brightest value of a black picture is below 24; a large file is not opened."""
    picture(root / "KDEF" / "AF01" / "AF01ANS.JPG", grey=23)
    picture(root / "KDEF" / "AF01" / "AF01DIS.JPG", grey=24)
    black = {problem.file for problem in kdef.load(root).problems if "black" in problem.reason}
    assert black == {"KDEF/AF01/AF01ANS.JPG"}
    dark = root / "KDEF" / "AF01" / "AF01ANS.JPG"
    dark.write_bytes(dark.read_bytes().ljust(15_000, b"\0"))
    assert [problem for problem in kdef.load(root).problems if "black" in problem.reason]
    dark.write_bytes(dark.read_bytes() + b"\0")
    assert not [problem for problem in kdef.load(root).problems if "black" in problem.reason]


def test_sessions_and_angles_in_lower_case_are_the_same(tmp_path, picture):
    """The session is compared as KDEF writes it."""
    picture(tmp_path / "af01ans.jpg")
    picture(tmp_path / "bf01ans.jpg")
    assert kdef.load(tmp_path, session="A").table["image"].tolist() == ["af01ans.jpg"]
    with pytest.raises(PlanError, match="no session 'C'"):
        kdef.load(tmp_path, session="C")


def test_nothing_is_said_of_other_views_where_there_are_none(tmp_path, picture):
    """Nor of averages."""
    picture(tmp_path / "AF01ANS.JPG")
    reasons = [problem.reason for problem in kdef.load(tmp_path).problems]
    assert not [reason for reason in reasons if "not asked for" in reason or "averages" in reason]
