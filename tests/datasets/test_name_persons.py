"""Which file names name somebody."""

import pytest

from emorank.datasets.name_persons import naming


@pytest.mark.parametrize(
    "stems",
    [
        ["1", "2", "10"],
        ["001", "002"],
        ["im0", "im1"],
        ["IMG_0001", "IMG_0002"],
        ["IMG_0001", "DSC0001", "PICT0002"],
        ["_DSC0001", "_MG_0002"],
        ["frame_0001", "frame_0002"],
        ["image (3)", "image (4)"],
        ["image", "image (2)", "image - Copy"],
        ["P1010001", "P1010002"],
        ["20240131_123456", "20240131_123457"],
        ["WhatsApp Image 2024-01-31 at 10.32.01", "WhatsApp Image 2024-01-31 at 10.32.02"],
        ["PXL_20240131_123456789", "VID_20240131"],
        ["d41d8cd98f00b204e9800998ecf8427e", "0cc175b9c0f1b6a831c399e269772661"],
        ["123e4567-e89b-12d3-a456-426614174000"],
        ["holiday1", "holiday2", "holiday3"],
        ["cropped_face_12", "cropped_face_13"],
        ["beach1", "beach2", "party1", "party2", "party3"],
        ["Bild 1", "Bild 2"],
    ],
)
def test_numbered_pictures_name_nobody(stems):
    """Downloads, cameras, films, hashes, times."""
    assert not naming(stems)


@pytest.mark.parametrize(
    "stems",
    [
        ["ann", "ben"],
        ["Ann_1", "Ben_2", "Cleo_3"],
        ["Fran\u00e7ois", "\u0410\u043d\u043d\u0430", "\u674e"],
        ["p0", "p1"],
        ["subject01", "subject02"],
        ["S010", "S011"],
        ["face_p3", "face_p4"],
        ["AF01", "AF02", "BM01"],
        ["KA", "KL"],
        ["ada"],
    ],
)
def test_names_and_codes_name_somebody(stems):
    """Words, persons who are numbered as such, codes of several letters."""
    assert naming(stems)


@pytest.mark.parametrize(("others", "named"), [(1, True), (2, False)])
def test_nine_tenths_must_name_somebody(others, named):
    """A stray number does not hide nine names."""
    names = ["ann", "ben", "cleo", "dan", "eve", "fay", "gus", "hal", "ida"]
    assert naming([*names, *"123456789"[:others]]) is named
