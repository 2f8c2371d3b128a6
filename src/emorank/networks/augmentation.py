"""Views of a face: the image, its mirror, small changes that leave the expression alone."""

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageEnhance

ROTATION = 8.0  # degrees, either way
SCALE = 0.08
SHIFT = 0.04  # of the side
LIGHT = 0.2  # brightness and contrast


def view(
    rgb: UInt8[np.ndarray, "side side 3"], number: int, digest: str
) -> UInt8[np.ndarray, "side side 3"]:
    """View `number` of a square image: 0 the image, 1 its mirror, from 2 on jittered.

    Odd views are mirrored. A view depends on its number and the image's digest alone, so that it is
    the same in every run and its features can be cached.
    """
    mirrored = np.ascontiguousarray(rgb[:, ::-1]) if number % 2 else rgb
    if number < 2:
        return mirrored
    random = np.random.default_rng([number, int(digest[:15], 16)])
    angle = np.deg2rad(random.uniform(-ROTATION, ROTATION))
    scale = 1 + random.uniform(-SCALE, SCALE)
    side = rgb.shape[0]
    centre = (side - 1) / 2
    shift = random.uniform(-SHIFT, SHIFT, 2) * side
    cos, sin = np.cos(angle) / scale, np.sin(angle) / scale
    # PIL wants the output-to-input map, about the centre.
    origin = centre - np.array([[cos, sin], [-sin, cos]]) @ (centre + shift)
    affine = (cos, sin, origin[0], -sin, cos, origin[1])
    # A border of the edge's own pixels, so that no black corner tells the views apart.
    pad = side // 4
    padded = np.pad(mirrored, ((pad, pad), (pad, pad), (0, 0)), mode="edge")
    inside = (
        *affine[:2],
        affine[2] + pad,
        *affine[3:5],
        affine[5] + pad,
    )
    image = Image.fromarray(padded).transform(
        (side, side), Image.Transform.AFFINE, inside, Image.Resampling.BILINEAR
    )
    image = ImageEnhance.Brightness(image).enhance(1 + random.uniform(-LIGHT, LIGHT))
    image = ImageEnhance.Contrast(image).enhance(1 + random.uniform(-LIGHT, LIGHT))
    return np.asarray(image)
