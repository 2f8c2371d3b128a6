"""What is asked and answered, as the description of the interface has it."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from emorank.framing import CROPS
from emorank.reading.ranks import RANKS
from emorank.relevance import PRESETS

FRAMINGS = tuple(crop for crop in CROPS if crop != "center")
"""How a picture may be framed: "face", every face in it; "none", the whole picture."""
_LONGEST = 32  # characters of a word


Rank = Annotated[str, Field(max_length=_LONGEST, json_schema_extra={"enum": [*RANKS]})]


class FacesQuery(BaseModel):
    """What may be asked of faces."""

    model_config = ConfigDict(extra="forbid")
    rank: list[Rank] = Field(
        [],
        max_length=len(RANKS),
        description="How intensity is ranked; several may be asked for (rank=contrast&rank=paper). "
        "Without it: the rank that suits the network.",
    )
    emotion: str | None = Field(
        None,
        max_length=_LONGEST,
        examples=["happy"],
        description="Rank how strongly this one is expressed, whatever the network names.",
    )
    nearest: bool = Field(False, description="Only the nearest face of each picture.")
    crop: str | None = Field(
        None,
        json_schema_extra={"enum": [*FRAMINGS, None]},
        description="face: every face in the picture; none: the whole picture is a face, framed. "
        "Without it: as the network was trained.",
    )


class ExplanationQuery(BaseModel):
    """What may be asked of one face."""

    model_config = ConfigDict(extra="forbid")
    face: int = Field(1, ge=1, le=10_000, description="Its number in the picture, nearest first.")
    emotion: str | None = Field(
        None,
        max_length=_LONGEST,
        examples=["happy"],
        description="Explain this one; without it, the one that is expressed.",
    )
    against: str | None = Field(
        None,
        max_length=_LONGEST,
        examples=["surprise"],
        description='Why the emotion and not this one; without it: "and not neutral".',
    )
    preset: str | None = Field(
        None,
        json_schema_extra={"enum": [*PRESETS, None]},
        description="Of relevance; without it, the network's own for people.",
    )
    crop: str | None = Field(
        None, json_schema_extra={"enum": [*FRAMINGS, None]}, description="As for faces."
    )


class Picture(BaseModel):
    """The faces of one picture."""

    image: str = Field(description="The name of the file that was sent.")
    width: int | None = Field(description="Of the upright picture in pixels; null if unreadable.")
    height: int | None = Field(description="Likewise.")
    faces: list[dict[str, Any]] = Field(
        description="A row for each face, the nearest first: image, face, box_left, box_top, "
        "box_right, box_bottom; predicted and the probability p_EMOTION of each emotion; "
        "expressed, the emotion that is ranked, and expressed_p; rank (None, Minimal, Average, "
        "Strong; null where it abstains), abstained, score, and the numbers of the rank. Further "
        "ranks have the same columns with their name before them."
    )
    reason: str | None = Field(description="Why there are no faces; null where there are.")


class Faces(BaseModel):
    """The faces of all pictures of a request, in their order."""

    network: str = Field(description="The name of the network that read them.")
    pictures: list[Picture]


class Network(BaseModel):
    """A network that answers here."""

    name: str
    classes: list[str] = Field(description="The emotions that it names.")
    size: int = Field(description="Side of its input in pixels.")
    crop: str = Field(description="How pictures are framed where nobody asks otherwise.")
    ranks: list[str] = Field(description="What rank= may be, the default first.")
    presets: list[str] = Field(description="What preset= may be.")
    heatmap: str = Field(description="The preset where nobody asks for one.")
    device: str = Field(description="Where it computes.")
    licence: str | None = Field(description="Of the shipped network; null for one of a study.")
    measured: str | None = Field(description="How good the shipped network is; null likewise.")


class Networks(BaseModel):
    """The networks of this server."""

    networks: list[Network]
    not_for: str = Field(description="What the networks are not to be used for.")


class Health(BaseModel):
    """Whether the server runs."""

    status: str = Field(examples=["ok"])


NOT_FOR = (
    "Not to infer emotions of people in the workplace or in education (Regulation (EU) 2024/1689, "
    "Article 5(1)(f)). It reads what a face expresses, and not what somebody feels."
)
FACES_EXAMPLE = {
    "network": "expression",
    "pictures": [
        {
            "image": "holiday.jpg", "width": 640, "height": 480,
            "faces": [
                {
                    "image": "holiday.jpg", "face": 1, "box_left": 201.3, "box_top": 88.0,
                    "box_right": 398.1, "box_bottom": 351.6, "predicted": "happy",
                    "p_neutral": 0.004, "p_happy": 0.991, "p_sadness": 0.001, "p_anger": 0.001,
                    "p_fear": 0.001, "p_disgust": 0.001, "p_surprise": 0.001, "logit": 9.1,
                    "expressed": "happy", "expressed_p": 0.991, "expressed_logit": 9.1,
                    "rank": "Strong", "abstained": False, "score": 5.5, "log_odds": 5.5,
                }
            ],
            "reason": None,
        },
        {
            "image": "sea.jpg", "width": 640, "height": 480, "faces": [],
            "reason": "no face was found",
        },
    ],
}  # fmt: skip
