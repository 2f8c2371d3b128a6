"""Colours painted on the head, in the fixed frame of the base mesh (decimetres; +x person's left).

Eyes lie at (±0.308, 7.284), the tip of the nose at (0, 6.91), the corners of the mouth at
(±0.25, 6.61).
"""

import numpy as np

import hair
from anatomy import Part, texture
from persons import Person
from pigment import linear, noise, spot, step


def brows(at: np.ndarray, thickness: float) -> np.ndarray:
    """Coverage of the brows in [0, 1]: an arched band broken into hairs."""
    x = np.abs(at[:, 0])
    along = np.clip((x - 0.1) / 0.45, 0, 1)
    arch = 7.475 + 0.06 * np.sin(np.pi * np.clip(along, 0, 1) ** 1.25 * 0.86) - 0.03 * along
    half = thickness * 0.046 * (1 - along) ** 0.45 * (0.55 + 0.45 * step(along, 0.0, 0.2)) + 1e-3
    off = (at[:, 1] - arch) / half
    band = np.exp(-(np.abs(off) ** 3)) * step(x, 0.085, 0.14) * (1 - step(x, 0.5, 0.57))
    hairs = noise(at - 0.8 * x[:, None] * [0, 1, 0], (0.011, 0.05, 0.2), 11)
    return np.where(at[:, 2] > 0.8, np.clip(band * (0.88 + 0.09 * hairs), 0, 1), 0.0)


def paint(part: Part, person: Person, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Paint skin, lips, brows, mouth and shirt.

    Returns:
        linear colours (n, 3) in [0, 1], and the gloss of the surface (n,) in [0, 1].
    """
    at = part.base
    skin = linear(person.skin)
    colour = np.tile(skin, (len(at), 1))
    mottle = 0.5 * noise(at, 0.25, seed) + 0.3 * noise(at, 0.08, seed + 1)
    colour *= 1 + 0.045 * mottle[:, None] * [0.6, 1.0, 1.0]
    colour *= 1 + 0.05 * noise(at, 0.018, seed + 2)[:, None]

    red = (
        spot(at, 0.45, 6.98, 0.17, 0.14) + 0.6 * spot(at, 0.0, 6.92, 0.09, 0.08)
        + 0.35 * spot(at, 0.0, 6.3, 0.12, 0.1) + step(np.abs(at[:, 0]), 0.7, 0.76) * 0.5
    )  # fmt: skip
    amount = (person.ruddy * 0.55 * red * (0.55 + 0.45 * skin.mean()))[:, None]
    colour *= 1 - amount * [0.02, 0.34, 0.32]
    below = spot(at, 0.29, 7.12, 0.13, 0.05) * (0.10 + 0.10 * person.lines)
    colour *= 1 - below[:, None] * [0.9, 1.2, 1.0]
    lids = texture("eyelids", part.uv)[:, None]
    colour *= 1 - lids * [0.14, 0.24, 0.22]

    if person.freckles:
        spots = step(noise(at, 0.022, seed + 3), 1.3, 2.2) * person.freckles
        colour *= 1 - (spots * np.minimum(1, spot(at, 0.25, 7.0, 0.3, 0.16) * 1.4))[:, None] * [
            0.25, 0.42, 0.5,
        ]  # fmt: skip
    if person.stubble:
        x, y, z = at.T
        jaw = step(6.86 - 0.35 * np.abs(x) + 0.25 * step(np.abs(x), 0.45, 0.7) - y, -0.04, 0.12)
        jaw *= step(y, 5.95, 6.2) * step(z, 0.35, 0.7)
        jaw *= 1 - spot(at, 0.0, 6.82, 0.03, 0.06)
        grain = np.clip(0.75 + 0.45 * noise(at, 0.012, seed + 4), 0, 1.4)
        cover = (0.5 * person.stubble * jaw * grain)[:, None]
        colour = colour * (1 - cover) + cover * linear(person.hair) * [0.8, 0.9, 1.1]

    lips = step(texture("lips", part.uv), 0.25, 0.75)[:, None]
    made_up = 0.85 if person.phenotype["gender"] > 0.5 else 0.6
    lip_colour = made_up * linear(person.lips) + (1 - made_up) * skin * [0.9, 0.7, 0.7]
    lip_colour = lip_colour * (1 + 0.10 * noise(at, (0.015, 0.06, 0.05), seed + 5)[:, None])
    colour = colour * (1 - lips) + lips * lip_colour
    gloss = 0.35 + 0.45 * lips[:, 0] + 0.15 * spot(at, 0.0, 7.0, 0.2, 0.5)

    brow = brows(at, person.brow)[:, None] * 0.95
    # Brows are darker than the hair, grey and fair ones by more.
    tone = np.minimum(linear(person.hair) * 0.4, skin * 0.22)
    colour = colour * (1 - brow) + brow * tone
    gloss = gloss * (1 - brow[:, 0])

    inside = step(texture("inside-mouth", part.uv), 0.3, 0.7)[:, None]
    depth = step(1.45 - at[:, 2], 0.0, 0.35)[:, None]
    colour = colour * (1 - inside) + inside * np.array([0.20, 0.045, 0.04]) * (1 - 0.93 * depth)
    shaved = 0.35 if person.cut == "bald" else 1.0
    roots = np.stack([np.arctan2(at[:, 0], at[:, 1] - 7.0), at[:, 2] * 0.1, at[:, 1] * 0.1], 1)
    ragged = 0.03 * noise(roots, (0.02, 0.05, 0.05), seed + 6)
    scalp = shaved * step(hair.line(at, person) + ragged, -0.05, 0.05)[:, None]
    scalp *= 1 - texture("ears", part.uv)[:, None]
    colour = colour * (1 - scalp) + scalp * linear(person.hair) * 0.7
    gloss = gloss * (1 - 0.7 * scalp[:, 0] * (shaved == 1.0))

    shirt = step(5.72 - at[:, 1] + 0.25 * step(np.abs(at[:, 0]), 0.3, 0.8), 0.0, 0.03)[:, None]
    colour = colour * (1 - shirt) + shirt * linear(person.shirt)
    gloss = gloss * (1 - shirt[:, 0]) * (1 - inside[:, 0] * 0.5)
    return np.clip(colour, 0, 1), gloss


def paint_eyes(part: Part, person: Person) -> tuple[np.ndarray, np.ndarray]:
    """Sclera, iris with a dark rim, pupil; darker under the upper lid."""
    at = part.base
    side = np.sign(at[:, :1])
    centre = np.where(side > 0, at[side[:, 0] > 0].mean(0), at[side[:, 0] < 0].mean(0))
    away = at - centre
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    angle = np.degrees(np.arccos(np.clip(away[:, 2], -1, 1)))
    white = np.tile(linear((218, 211, 204)), (len(at), 1))
    white *= 1 - step(angle, 35, 75)[:, None] * [0.12, 0.34, 0.36]
    around = np.arctan2(away[:, 1], away[:, 0])
    rays = 1 + 0.22 * np.sin(23 * around) * np.sin(9 * around + 1) + 0.1 * np.sin(41 * around)
    iris = linear(person.iris) * (rays * (0.75 + 0.5 * step(angle, 26, 12)))[:, None]
    iris *= 1 - 0.75 * step(angle, 22.5, 26.5)[:, None]
    inside = step(-angle, -27.5, -25.5)[:, None]
    colour = white * (1 - inside) + iris * inside
    colour *= 1 - 0.97 * step(-angle, -11.5, -10.0)[:, None]
    colour *= 1 - 0.5 * step(away[:, 1], 0.1, 0.55)[:, None]  # the upper lid's shadow
    glint = np.exp(-(((away[:, 0] - 0.17) / 0.055) ** 2) - ((away[:, 1] - 0.2) / 0.055) ** 2)
    glint = glint * (away[:, 2] > 0)
    return np.clip(colour + 1.1 * glint[:, None], 0, 1.6), np.full(len(at), 0.5)


def paint_teeth(part: Part) -> tuple[np.ndarray, np.ndarray]:
    """Light in front, dark towards the back; fine dark lines between the teeth."""
    at = part.base
    front = step(at[:, 2], 1.1, 1.45)
    gap = step(np.abs(np.sin(np.pi * at[:, 0] / 0.085)), 0.0, 0.25)
    tone = (0.15 + 0.85 * front) * (0.78 + 0.22 * gap)
    tone *= 1 - 0.6 * step(np.abs(at[:, 0]), 0.14, 0.24)
    return linear((236, 228, 212)) * tone[:, None], np.full(len(at), 0.6)


def paint_tongue(part: Part) -> tuple[np.ndarray, np.ndarray]:
    """A dull red."""
    tone = 0.35 + 0.65 * step(part.base[:, 2], 0.9, 1.4)
    return linear((126, 58, 58)) * tone[:, None], np.full(len(part.base), 0.3)


def paint_lashes(part: Part, person: Person) -> tuple[np.ndarray, np.ndarray]:
    """Dark where made up or long, nearly skin where short."""
    female = person.phenotype["gender"] > 0.5
    upper = part.base[:, 1:2] > 7.27
    cover = np.where(upper, 0.95 if female else 0.75, 0.5 if female else 0.25)
    dark = linear(person.hair) * 0.15
    colour = linear(person.skin) * 0.75 * (1 - cover) + cover * dark
    return colour, np.zeros(len(colour))
