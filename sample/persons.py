"""The persons of the sample: shape, skin, hair and room, one row each."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Person:
    """One rendered person; colours are sRGB in 0–255.

    Attributes:
        name: the identity in the table.
        phenotype: parameters of `anny` in [0, 1]: gender 0 is male and 1 female, age 0.67 is a
            young adult and 1 is old.
        local: local changes of shape, in [-1, 1].
        skin, lips, iris, hair, brows, shirt, room: colours.
        cut: hair: "bald", "short", "cap" (to the ears) or "long".
        hairline: height of the hairline above the brows, in decimetres.
        brow: thickness of the brows, 1 is usual.
        stubble, ruddy, freckles, lines: strength in [0, 1].
    """

    name: str
    phenotype: dict[str, float]
    skin: tuple[int, int, int]
    lips: tuple[int, int, int]
    iris: tuple[int, int, int]
    hair: tuple[int, int, int]
    shirt: tuple[int, int, int]
    room: tuple[int, int, int]
    cut: str = "short"
    hairline: float = 0.0
    brow: float = 1.0
    stubble: float = 0.0
    ruddy: float = 0.5
    freckles: float = 0.0
    lines: float = 0.2
    local: dict[str, float] = field(default_factory=dict)


def _shape(
    male: float, age: float, weight: float, africa: float, asia: float, europe: float,
    muscle: float = 0.5,
) -> dict[str, float]:  # fmt: skip
    return {
        "gender": 1 - male, "age": age, "weight": weight, "muscle": muscle,
        "african": africa, "asian": asia, "caucasian": europe,
    }  # fmt: skip


BROWN, DARK, BLUE, GREEN, GREY = (
    (92, 58, 30), (58, 36, 22), (92, 132, 168), (96, 118, 76), (122, 132, 138),
)  # fmt: skip

PERSONS: tuple[Person, ...] = (
    Person("p01", _shape(1, 0.70, 0.45, 0, 0, 1), (224, 172, 142), (184, 108, 98), BLUE,
           (92, 64, 40), (60, 84, 116), (196, 202, 206), stubble=0.35,
           local={"nose-scale-vert-incr": 0.2, "chin-prominent-incr": 0.3}),
    Person("p02", _shape(0, 0.69, 0.45, 0, 0, 1), (238, 194, 168), (196, 98, 98), GREEN,
           (148, 92, 48), (156, 92, 96), (222, 214, 204), cut="long", brow=0.95, freckles=0.6,
           local={"l-eye-scale-incr": 0.3, "r-eye-scale-incr": 0.3, "mouth-scale-horiz-incr": 0.2}),
    Person("p03", _shape(1, 0.72, 0.55, 1, 0, 0, 0.6), (112, 74, 54), (136, 74, 68), DARK,
           (22, 18, 16), (206, 200, 186), (150, 160, 150), stubble=0.25,
           local={"head-scale-horiz-incr": 0.2}),
    Person("p04", _shape(0, 0.68, 0.50, 1, 0, 0), (136, 90, 64), (142, 72, 70), DARK,
           (26, 20, 18), (222, 172, 60), (206, 190, 178), cut="cap", brow=0.8,
           local={"mouth-lowerlip-volume-incr": 0.4, "l-cheek-bones-incr": 0.4,
                  "r-cheek-bones-incr": 0.4}),
    Person("p05", _shape(1, 0.71, 0.50, 0, 1, 0), (216, 168, 128), (176, 106, 94), DARK,
           (24, 20, 20), (44, 44, 50), (214, 218, 222),
           local={"head-scale-vert-incr": -0.2, "nose-scale-horiz-incr": 0.2}),
    Person("p06", _shape(0, 0.67, 0.40, 0, 1, 0), (236, 196, 162), (202, 104, 104), DARK,
           (30, 22, 20), (120, 150, 150), (190, 206, 214), cut="long", brow=0.9, ruddy=0.6,
           local={"chin-width-incr": -0.4, "head-fat-incr": -0.2}),
    Person("p07", _shape(1, 0.93, 0.60, 0, 0, 1), (222, 166, 142), (172, 104, 98), GREY,
           (176, 172, 166), (92, 100, 84), (182, 176, 166), hairline=0.18, ruddy=0.9, lines=1.0,
           brow=1.1, local={"nose-volume-incr": 0.3, "l-ear-scale-incr": 0.3,
                            "r-ear-scale-incr": 0.3}),
    Person("p08", _shape(0, 0.90, 0.62, 0, 0.2, 0.8), (230, 184, 160), (184, 104, 104), BLUE,
           (206, 202, 198), (118, 80, 122), (208, 212, 200), cut="cap", lines=0.9, ruddy=0.7,
           brow=0.9),
    Person("p09", _shape(1, 0.80, 0.78, 0.1, 0.3, 0.6), (196, 144, 108), (160, 96, 84), BROWN,
           (44, 34, 28), (86, 60, 50), (170, 186, 198), stubble=0.8, brow=1.3, lines=0.5,
           local={"neck-double-incr": 0.4, "nose-hump-incr": 0.4}),
    Person("p10", _shape(0, 0.78, 0.80, 0.2, 0.0, 0.8), (214, 160, 128), (188, 92, 92), BROWN,
           (62, 38, 26), (36, 92, 92), (226, 220, 212), cut="long", brow=0.9, ruddy=0.7,
           local={"l-cheek-volume-incr": 0.4, "r-cheek-volume-incr": 0.4}),
    Person("p11", _shape(1, 0.75, 0.35, 0.5, 0.2, 0.3), (162, 112, 80), (142, 86, 74), BROWN,
           (20, 16, 14), (150, 60, 52), (212, 204, 190), cut="bald", stubble=0.6, brow=1.15,
           local={"head-scale-vert-incr": 0.2, "chin-height-incr": 0.3}),
    Person("p12", _shape(0, 0.72, 0.35, 0.1, 0.6, 0.3), (206, 156, 118), (180, 92, 88), BROWN,
           (48, 28, 20), (214, 212, 216), (176, 190, 178), cut="cap", brow=0.85,
           local={"nose-point-up": 0.3, "l-eye-corner2-up": 0.3, "r-eye-corner2-up": 0.3}),
    Person("p13", _shape(1, 0.86, 0.42, 0.9, 0, 0.1), (94, 62, 47), (120, 68, 62), DARK,
           (70, 66, 64), (60, 96, 74), (198, 194, 200), hairline=0.12, lines=0.8,
           local={"nose-width2-incr": 0.2}),
    Person("p14", _shape(0, 0.74, 0.55, 0.0, 0.0, 1.0), (244, 204, 182), (206, 108, 104), BLUE,
           (206, 158, 84), (70, 76, 128), (200, 192, 186), cut="long", brow=0.9, ruddy=0.7,
           local={"nose-scale-vert-incr": -0.2, "head-scale-horiz-incr": 0.2}),
)  # fmt: skip
