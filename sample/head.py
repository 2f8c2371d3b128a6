"""One person's head: painted parts, posed by facial actions, lit, and drawn off-screen."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image
from scipy import sparse

import anatomy
import camera
import hair
import shading
import skin
from persons import Person
from pigment import step

OVERSAMPLING = 3
NOSE_TIP, MOUTH_RIGHT, MOUTH_LEFT = 297, 424, 7272  # vertices of the base mesh
LASHES = tuple(f"helper-{side}-eyelashes-{i}" for side in "lr" for i in (1, 2))


@dataclass(frozen=True)
class Surface:
    """A painted part of one person.

    Attributes:
        part: its mesh.
        triangles: those of the part that are drawn.
        around: `shading.corners` of these triangles.
        colour, gloss: linear colours (n, 3) and gloss (n,) of its vertices.
        power: sharpness of the highlight.
        thickness: how far it stands off the skin (n,), for hair only.
        fixed: points (n, 3) in the person's own frame that no facial action moves.
        openness: light that reaches `fixed` points, in [0, 1].
    """

    part: anatomy.Part
    triangles: np.ndarray
    around: sparse.csr_matrix
    colour: np.ndarray
    gloss: np.ndarray
    power: float = 22.0
    thickness: np.ndarray | None = None
    fixed: np.ndarray | None = None
    openness: np.ndarray | None = None


def _surface(
    part: anatomy.Part, painted: tuple[np.ndarray, np.ndarray], power: float = 22.0
) -> Surface:
    around = shading.corners(part.triangles, len(part.base))
    return Surface(part, part.triangles, around, *painted, power=power)


@cache
def _parts() -> dict[str, anatomy.Part]:
    return {
        "skin": anatomy.part("body", levels=3, low=5.1, back=-0.45),
        "eyes": anatomy.part("helper-l-eye", "helper-r-eye", levels=3),
        "teeth": anatomy.part("helper-upper-teeth", "helper-lower-teeth", levels=2),
        "tongue": anatomy.part("helper-tongue", levels=1),
        "lashes": anatomy.part(*LASHES, levels=1),
    }


@cache
def _skin_mean() -> sparse.csr_matrix:
    part = _parts()["skin"]
    return shading.neighbours(part.coarser, part.last.shape[1])


@cache
def _coarse_corners() -> sparse.csr_matrix:
    part = _parts()["skin"]
    return shading.corners(part.coarser, part.last.shape[1])


def _openness(points: np.ndarray, part: anatomy.Part) -> np.ndarray:
    normal = shading.normals(points, part.coarser, _coarse_corners())
    return shading.cavities(points, normal, _skin_mean())


def _seen(place: np.ndarray, normal: np.ndarray, triangles: np.ndarray, size: int) -> np.ndarray:
    """Leave out triangles behind the head or outside of the picture; they cost most of the time."""
    seen = ((place[:, :2] > -4) & (place[:, :2] < size + 4)).all(axis=1) & (normal[:, 2] > -0.4)
    return triangles[seen[triangles].all(axis=1)]


def _tucked(points: np.ndarray, base: np.ndarray, squint: float) -> np.ndarray:
    """Draw the lower part of the eyeballs inwards, where squinting lids would be pierced."""
    tucked = points.copy()
    low = 0.46 - 0.3 * min(squint, 1.0)
    for side in (base[:, 0] > 0, base[:, 0] < 0):
        down = (base[side].mean(0)[1] - base[side][:, 1]) / 0.138
        centre = points[side].mean(0)
        inwards = 0.3 * step(down, low, low + 0.25)[:, None]
        tucked[side] = centre + (points[side] - centre) * (1 - inwards)
    return tucked


def _deformed(
    name: str, surface: Surface, coarse: np.ndarray, squint: float
) -> tuple[np.ndarray, np.ndarray]:
    """Fine points of a surface, and how open they lie, from the model's posed vertices."""
    before = surface.part.before @ coarse
    points = surface.part.last @ before
    if name == "eyes":
        points = _tucked(points, surface.part.base, squint)
    if name == "skin":
        return points, surface.part.last @ _openness(before, surface.part)
    if surface.thickness is not None:
        # From the middle of the head, which is the origin here: along the normals, the folds of
        # the ears would spread the hair into spikes.
        away = points / np.linalg.norm(points, axis=1, keepdims=True)
        points = points + surface.thickness[:, None] * away
        return points, np.clip(0.5 + surface.thickness / 0.2, 0, 1)
    return points, np.ones(len(points))


class Head:
    """A person ready to be drawn; owns the neutral shape and the painted surfaces."""

    def __init__(self, person: Person, seed: int) -> None:
        self.person = person
        self.neutral = anatomy.neutral(person.phenotype, person.local)
        points, _, groups = anatomy.base_mesh()
        self.eye_vertices = [np.unique(groups[f"helper-{s}-eye"][0]) for s in "rl"]
        base_span = np.ptp([points[i].mean(0)[0] for i in self.eye_vertices])
        own_span = np.ptp([self.neutral[i].mean(0)[0] for i in self.eye_vertices])
        self.scale = own_span / base_span  # actions grow with the face
        self.middle = np.mean([self.neutral[i].mean(0) for i in self.eye_vertices], axis=0)
        self.middle = self.middle + np.array([0.0, -0.4, -0.6])
        self.surfaces = self._surfaces(seed)

    def _surfaces(self, seed: int) -> dict[str, Surface]:
        parts, person = _parts(), self.person
        face = parts["skin"]
        surfaces = {
            "skin": _surface(face, skin.paint(face, person, seed)),
            "eyes": _surface(parts["eyes"], skin.paint_eyes(parts["eyes"], person), 120.0),
            "teeth": _surface(parts["teeth"], skin.paint_teeth(parts["teeth"])),
            "tongue": _surface(parts["tongue"], skin.paint_tongue(parts["tongue"])),
            "lashes": _surface(parts["lashes"], skin.paint_lashes(parts["lashes"], person)),
        }
        grown = hair.thickness(face, person, seed)
        if grown is not None:
            drawn = face.triangles[(grown[face.triangles] > 0).all(axis=1)]
            around = shading.corners(drawn, len(grown))
            painted = hair.paint(face, person, seed)
            surfaces["hair"] = Surface(face, drawn, around, *painted, 14.0, grown)
        if person.cut == "long":
            hanging, triangles = hair.curtain(seed)
            *painted, openness = hair.paint_curtain(hanging, person, seed)
            around = shading.corners(triangles, len(hanging))
            fixed = self._from_base(hanging) - self.middle
            surfaces["curtain"] = Surface(
                face, triangles, around, *painted, 14.0, fixed=fixed, openness=openness
            )
        return surfaces

    def _from_base(self, points: np.ndarray) -> np.ndarray:
        """Carry points of the base mesh's frame to this person's head, axis by axis."""
        base, _, _ = anatomy.base_mesh()
        above = np.flatnonzero(base[:13380, 1] > 6.2)  # of the body's vertices, those of the head
        fits = [np.polyfit(base[above, k], self.neutral[above, k], 1) for k in range(3)]
        return np.stack([np.polyval(fit, points[:, k]) for k, fit in enumerate(fits)], axis=1)

    def posed(self, actions: dict[str, float]) -> np.ndarray:
        """Vertices of the model with these facial actions: (19158, 3), decimetres."""
        basis = anatomy.action_basis()
        moved = sum(
            (strength * basis[name] for name, strength in actions.items()),
            start=np.zeros_like(self.neutral),
        )
        return self.neutral + self.scale * moved

    def landmarks(self, rotation: np.ndarray) -> np.ndarray:
        """Project the five landmarks of the neutral face in the pose: (5, 2)."""
        n = self.neutral
        eyes = [n[i].mean(0) + np.array([0, 0, np.ptp(n[i][:, 2]) / 2]) for i in self.eye_vertices]
        points = np.stack([*eyes, n[NOSE_TIP], n[MOUTH_RIGHT], n[MOUTH_LEFT]])
        return camera.perspective((points - self.middle) @ rotation.T)[:, :2]

    def draw(
        self, actions: dict[str, float], view: camera.View, light: shading.Light, size: int,
        backdrop: np.ndarray,
    ) -> np.ndarray:  # fmt: skip
        """Draw one image: uint8 (size, size, 3).

        Args:
            actions: strength of facial actions.
            view: pose and framing.
            light: of the room.
            size: of the square, in pixels.
            backdrop: uint8 (large, large, 3) behind the head, large = OVERSAMPLING · size.
        """
        turn = camera.rotation(view)
        to_pixels = camera.framing(self.landmarks(turn), view, size)
        coarse = (self.posed(actions) - self.middle) @ turn.T
        squint = sum(
            0.5 * weight * actions.get(f"{action}{side}", 0.0)
            for action, weight in (("eyeSquint", 1.0), ("cheekSquint", 0.6))
            for side in ("Left", "Right")
        )
        meshes = []
        for name, surface in self.surfaces.items():
            if surface.fixed is None:
                points, openness = _deformed(name, surface, coarse, squint)
            else:
                points, openness = surface.fixed @ turn.T, surface.openness
            normal = shading.normals(points, surface.triangles, surface.around)
            if surface.fixed is not None:  # an open sheet, lit on the side that is seen
                normal = normal * np.where(normal[:, 2:] < 0, -1, 1)
            lit = shading.shade(
                surface.colour, surface.gloss, normal, openness, light, surface.power
            )
            flat = camera.perspective(points)
            place = flat * to_pixels[0, 0] + np.append(to_pixels[:, 2], 0.0)
            seen = _seen(place, normal, surface.triangles, size)
            meshes.append((name, place, seen, shading.display(lit)))
        return rasterise(meshes, size, backdrop)


@cache
def _plotter(size: int):
    import pyvista

    plotter = pyvista.Plotter(off_screen=True, window_size=(size, size))
    plotter.camera_position = [(size / 2, -size / 2, 5000.0), (size / 2, -size / 2, 0.0), (0, 1, 0)]
    return plotter


def rasterise(meshes: list, size: int, backdrop: np.ndarray) -> np.ndarray:
    """Draw coloured meshes given in pixels (x right, y down, depth towards the viewer)."""
    import pyvista

    large = size * OVERSAMPLING
    plotter = _plotter(large)
    plotter.clear_actors()
    for name, place, triangles, colour in meshes:
        place = place * [OVERSAMPLING, -OVERSAMPLING, OVERSAMPLING]
        mesh = pyvista.PolyData.from_regular_faces(place.astype(np.float32), triangles)
        mesh.point_data["colour"] = colour
        plotter.add_mesh(mesh, scalars="colour", rgb=True, lighting=False, name=name,
                         show_scalar_bar=False, reset_camera=False, render=False)  # fmt: skip
    plotter.enable_parallel_projection()
    plotter.camera.parallel_scale = large / 2
    plotter.camera.clipping_range = (1.0, 10000.0)
    plotter.render()
    drawn = plotter.screenshot(None, transparent_background=True, return_img=True)
    full = np.where(drawn[..., 3:] > 127, drawn[..., :3], backdrop)
    image = Image.fromarray(full.astype(np.uint8)).resize((size, size), Image.Resampling.LANCZOS)
    return np.asarray(image)
