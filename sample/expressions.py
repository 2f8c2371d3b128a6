"""Which facial actions make an expression, how strongly, and how persons differ in it.

The combinations of action units follow the prototypes and variants of EMFACS and of the
Investigator's Guide to FACS (Ekman, Friesen & Hager, 2002). They are written with the facial
actions of `anny`, which are named as in ARKit; how strong each is was chosen by eye on renderings.
The table gives the strength at the peak of the expression, both sides together: "mouthSmile"
stands for mouthSmileLeft and mouthSmileRight. Values above 1 exaggerate the sculpted action.
"""

from dataclasses import dataclass

import numpy as np

EMOTIONS = ("anger", "disgust", "fear", "happy", "sadness", "surprise")

# emotion → variants; a variant is (name, action units, {action: strength at the peak})
PROTOTYPES: dict[str, tuple[tuple[str, str, dict[str, float]], ...]] = {
    "anger": (
        (
            "pressed lips",
            "4 + 5 + 7 + 17 + 23 + 24",
            {
                "browDown": 1.8, "eyeSquint": 0.5, "eyeWide": 0.4, "noseSneer": 0.6,
                "mouthPress": 0.5, "mouthRollLower": 0.45, "mouthRollUpper": 0.45,
                "mouthPucker": 0.15, "mouthFrown": 0.5, "mouthShrugLower": 0.45,
                "jawForward": 0.4,
            },
        ),
        (
            "bared teeth",
            "4 + 5 + 7 + 10 + 22 + 25",
            {
                "browDown": 1.8, "eyeSquint": 0.45, "eyeWide": 0.45, "noseSneer": 0.75,
                "mouthUpperUp": 0.9, "mouthLowerDown": 1.15, "mouthStretch": 0.4,
                "mouthFunnel": 0.15, "jawForward": 0.4,
            },
        ),
    ),
    "disgust": (
        (
            "closed mouth",
            "9 + 15 + 17",
            {
                "noseSneer": 1.45, "mouthUpperUp": 0.75, "browDown": 0.6, "cheekSquint": 0.7,
                "eyeSquint": 0.8, "mouthFrown": 0.7, "mouthShrugLower": 0.55,
                "mouthShrugUpper": 0.3,
            },
        ),
        (
            "open mouth",
            "9 + 10 + 16 + 25 + 26",
            {
                "noseSneer": 1.45, "mouthUpperUp": 1.1, "browDown": 0.55, "cheekSquint": 0.8,
                "eyeSquint": 0.8, "mouthLowerDown": 0.45, "mouthFrown": 0.5, "jawOpen": 0.2,
                "tongueOut": 0.25,
            },
        ),
    ),
    "fear": (
        (
            "lips stretched",
            "1 + 2 + 4 + 5 + 20 + 25",
            {
                "browInnerUp": 1.8, "browOuterUp": 0.15, "browDown": 0.3, "eyeWide": 1.25,
                "mouthStretch": 1.2, "mouthLowerDown": 0.7, "mouthFrown": 0.25, "jawOpen": 0.12,
            },
        ),
        (
            "jaw dropped",
            "1 + 2 + 4 + 5 + 20 + 26",
            {
                "browInnerUp": 1.8, "browOuterUp": 0.15, "browDown": 0.35, "eyeWide": 1.25,
                "mouthStretch": 1.25, "mouthLowerDown": 0.6, "mouthFrown": 0.3, "jawOpen": 0.24,
            },
        ),
    ),
    "happy": (
        (
            "closed smile",
            "6 + 12",
            {
                "mouthSmile": 1.15, "cheekSquint": 1.0, "eyeSquint": 0.4, "mouthDimple": 0.12,
                "mouthPress": 0.15,
            },
        ),
        (
            "open smile",
            "6 + 12 + 25 + 26",
            {
                "mouthSmile": 1.15, "cheekSquint": 1.0, "eyeSquint": 0.35, "mouthUpperUp": 0.45,
                "mouthLowerDown": 0.5, "jawOpen": 0.18, "mouthDimple": 0.08,
            },
        ),
    ),
    "sadness": (
        (
            "lip corners down",
            "1 + 4 + 11 + 15 + 17",
            {
                "browInnerUp": 2.0, "browDown": 0.25, "mouthFrown": 1.45, "mouthShrugLower": 0.65,
                "mouthRollLower": 0.25, "eyeBlink": 0.12, "cheekSquint": 0.25,
                "eyeLookDown": 0.2,
            },
        ),
        (
            "lip pout",
            "1 + 4 + 15 + 17 + 64",
            {
                "browInnerUp": 2.0, "browDown": 0.25, "mouthFrown": 1.35, "mouthPucker": 0.2,
                "mouthShrugLower": 0.9, "eyeBlink": 0.05, "eyeLookDown": 0.45,
            },
        ),
    ),
    "surprise": (
        (
            "jaw dropped",
            "1 + 2 + 5 + 26",
            {
                "browInnerUp": 1.1, "browOuterUp": 1.4, "eyeWide": 1.0, "jawOpen": 0.6,
                "mouthFunnel": 0.2,
            },
        ),
        (
            "mouth stretched open",
            "1 + 2 + 5 + 27",
            {
                "browInnerUp": 1.15, "browOuterUp": 1.45, "eyeWide": 1.05, "jawOpen": 0.85,
                "mouthFunnel": 0.3,
            },
        ),
    ),
}  # fmt: skip

MIDDLE = frozenset(
    {
        "browInnerUp", "cheekPuff", "jawForward", "jawOpen", "mouthClose", "mouthFunnel",
        "mouthPucker", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
        "tongueOut",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Expression:
    """How one person shows one emotion at its peak.

    Attributes:
        emotion: its name.
        variant: which of the emotion's prototypes.
        actions: strength of each action of `anny` at intensity 1.
    """

    emotion: str
    variant: str
    actions: dict[str, float]

    def at(self, intensity: float) -> dict[str, float]:
        """Return the actions at an intensity in [0, 1]: all grow in proportion to it."""
        return {name: intensity * strength for name, strength in self.actions.items()}


def personal(emotion: str, rng: np.random.Generator, variant: int) -> Expression:
    """Vary a prototype as persons do: a gain, a weight per action, and left against right."""
    name, _, strengths = PROTOTYPES[emotion][variant % len(PROTOTYPES[emotion])]
    gain = rng.uniform(0.92, 1.08)
    actions: dict[str, float] = {}
    for action, strength in strengths.items():
        weight = gain * strength * np.clip(rng.normal(1.0, 0.12), 0.75, 1.25)
        if action in MIDDLE:
            actions[action] = float(weight)
        else:
            lean = np.clip(rng.normal(0.0, 0.07), -0.15, 0.15)
            actions[f"{action}Left"] = float(weight * (1 + lean))
            actions[f"{action}Right"] = float(weight * (1 - lean))
    return Expression(emotion, name, actions)
