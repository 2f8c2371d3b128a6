"""The head of the parametric human `anny`: its parts, finer meshes of them, and its landmarks.

The model comes as one list of 19 158 vertices; which faces belong to skin, eyes, teeth, tongue and
eyelashes is written in MakeHuman's base mesh (CC0), which `anny` carries along. Parts are refined
by Catmull-Clark subdivision, once per topology, as a sparse matrix from coarse to fine vertices.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import sparse


@dataclass(frozen=True)
class Part:
    """A refined part of the mesh.

    Attributes:
        matrix: sparse (fine, coarse) weights: fine vertices = matrix @ all vertices of the model.
        triangles: (m, 3) indices into the fine vertices.
        uv: (fine, 2) texture coordinates of the base mesh, NaN where it has none.
        base: (fine, 3) positions on the base mesh, for painting in a fixed frame.
        last, before: the last step of the subdivision, and all before it: matrix = last @ before.
        coarser: triangles before the last step.
    """

    matrix: sparse.csr_matrix
    triangles: np.ndarray
    uv: np.ndarray
    base: np.ndarray
    last: sparse.csr_matrix
    before: sparse.csr_matrix
    coarser: np.ndarray


def package() -> Path:
    """Return the folder of the installed package `anny`."""
    import anny

    return Path(anny.__file__).parent


@cache
def model():
    """Build the model with all local changes and facial actions; minutes once, then cached."""
    import anny

    return anny.Anny(
        rig="makehuman",
        topology="makehuman",  # quads, and every helper vertex is kept
        local_changes="default",
        facial_actions="all",
        phenotypes="all",
    )


def neutral(phenotype: Mapping[str, float], local_changes: Mapping[str, float]) -> np.ndarray:
    """Shape one person without expression: float64 (19158, 3), decimetres."""
    return _forward(phenotype, local_changes, {})


@cache
def action_basis() -> dict[str, np.ndarray]:
    """Displacement of every vertex by each facial action at 1: name → float64 (19158, 3).

    In `anny` the actions are added to the shape and do not depend on the person, so that an
    expression is neutral + sum of strength times displacement.
    """
    rest = _forward({}, {}, {})
    return {name: _forward({}, {}, {name: 1.0}) - rest for name in model().facial_action_labels}


def _forward(
    phenotype: Mapping[str, float], local_changes: Mapping[str, float], actions: Mapping[str, float]
) -> np.ndarray:
    import torch

    with torch.no_grad():
        output = model()(
            phenotype_kwargs=dict(phenotype),
            local_changes_kwargs=dict(local_changes),
            facial_actions=dict(actions),
        )
    # The model has x to the person's left, y backwards, z up, metres; here as in the base mesh:
    # x to the person's left, y up, z forwards, decimetres.
    return 10 * output["vertices"][0].double().numpy()[:, [0, 2, 1]] * [1.0, 1.0, -1.0]


@cache
def base_mesh() -> tuple[np.ndarray, np.ndarray, dict[str, tuple[np.ndarray, np.ndarray]]]:
    """Read MakeHuman's base mesh: vertices, texture coordinates, and faces with uv by group."""
    points, uv, groups, group = [], [], {}, ""
    with (package() / "data/mpfb2/3dobjs/base.obj").open() as lines:
        for line in lines:
            kind, _, rest = line.strip().partition(" ")
            if kind == "v":
                points.append([float(x) for x in rest.split()])
            elif kind == "vt":
                uv.append([float(x) for x in rest.split()[:2]])
            elif kind == "g":
                group = rest
                groups[group] = ([], [])
            elif kind == "f":
                corners = [c.split("/") for c in rest.split()]
                corners += corners[-1:] * (4 - len(corners))
                groups[group][0].append([int(c[0]) - 1 for c in corners])
                groups[group][1].append(
                    [int(c[1]) - 1 if len(c) > 1 and c[1] else -1 for c in corners]
                )
    named = {k: (np.array(f), np.array(t)) for k, (f, t) in groups.items() if f}
    return np.array(points), np.array(uv), named


@cache
def part(*names: str, levels: int, low: float = -np.inf, back: float = -np.inf) -> Part:
    """Refine the faces of the named groups that lie above y = `low` and before z = `back`."""
    points, uv, groups = base_mesh()
    faces = np.concatenate([groups[n][0] for n in names])
    corner = np.concatenate([groups[n][1] for n in names])
    keep = ((points[faces] > [-np.inf, low, back]).all(axis=2)).all(axis=1)
    faces, corner = faces[keep], corner[keep]
    corner_uv = np.where(corner[..., None] >= 0, uv[corner], np.nan)
    used, local = np.unique(faces, return_inverse=True)
    local = local.reshape(faces.shape)
    matrix = sparse.csr_matrix(
        (np.ones(len(used)), (np.arange(len(used)), used)), shape=(len(used), len(points))
    )
    for _ in range(levels):
        coarser, before = _triangles(local), matrix
        step, local, corner_uv = _catmull_clark(local, corner_uv, matrix.shape[0])
        matrix = (step @ matrix).tocsr()
    fine_uv = np.full((matrix.shape[0], 2), np.nan)
    fine_uv[local.ravel()] = corner_uv.reshape(-1, 2)
    return Part(matrix, _triangles(local), fine_uv, matrix @ points, step, before, coarser)


def _triangles(quads: np.ndarray) -> np.ndarray:
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])


def _catmull_clark(
    faces: np.ndarray, corner_uv: np.ndarray, count: int
) -> tuple[sparse.csr_matrix, np.ndarray, np.ndarray]:
    """One step of Catmull-Clark subdivision of quads with open borders, as a sparse matrix."""
    number = len(faces)
    ends = np.sort(np.stack([faces, np.roll(faces, -1, axis=1)], axis=-1).reshape(-1, 2), axis=1)
    edges, edge_of = np.unique(ends, axis=0, return_inverse=True)
    edge_of = edge_of.reshape(number, 4)
    shared = np.bincount(edge_of.ravel(), minlength=len(edges))

    face_rows = np.repeat(np.arange(number), 4)
    to_face = sparse.csr_matrix(
        (np.full(4 * number, 0.25), (face_rows, faces.ravel())), shape=(number, count)
    )
    edge_rows = np.repeat(np.arange(len(edges)), 2)
    middle = sparse.csr_matrix(
        (np.full(2 * len(edges), 0.5), (edge_rows, edges.ravel())), shape=(len(edges), count)
    )
    edge_faces = sparse.csr_matrix(
        (np.ones(4 * number), (edge_of.ravel(), face_rows)), shape=(len(edges), number)
    )
    inner = sparse.diags((shared == 2).astype(float))
    border = sparse.diags((shared != 2).astype(float))
    to_edge = inner @ (0.5 * middle + 0.25 * edge_faces @ to_face) + border @ middle

    incidence = sparse.csr_matrix(
        (np.ones(2 * len(edges)), (edges.ravel(), edge_rows)), shape=(count, len(edges))
    )
    valence = np.maximum(np.asarray(incidence.sum(axis=1)).ravel(), 1)
    vertex_faces = sparse.csr_matrix(
        (np.ones(4 * number), (faces.ravel(), face_rows)), shape=(count, number)
    )
    around = np.maximum(np.asarray(vertex_faces.sum(axis=1)).ravel(), 1)
    smooth = (
        sparse.diags(1 / valence / around) @ vertex_faces @ to_face
        + sparse.diags(2 / valence**2) @ incidence @ middle
        + sparse.diags((valence - 3) / valence)
    )
    at_border = incidence @ (shared != 2).astype(float) > 0
    border_edges = incidence @ border
    degree = np.maximum(np.asarray(border_edges.sum(axis=1)).ravel(), 1)
    crease = 0.5 * sparse.identity(count) + sparse.diags(0.5 / degree) @ border_edges @ middle
    to_vertex = (
        sparse.diags((~at_border).astype(float)) @ smooth
        + sparse.diags(at_border.astype(float)) @ crease
    )

    step = sparse.vstack([to_vertex, to_edge, to_face]).tocsr()
    edge_id, face_id = count + edge_of, count + len(edges) + np.arange(number)
    middle_uv = (corner_uv + np.roll(corner_uv, -1, axis=1)) / 2
    centre_uv = corner_uv.mean(axis=1)
    children, children_uv = [], []
    for i in range(4):
        children.append(np.stack([faces[:, i], edge_id[:, i], face_id, edge_id[:, i - 1]], axis=1))
        children_uv.append(
            np.stack([corner_uv[:, i], middle_uv[:, i], centre_uv, middle_uv[:, i - 1]], axis=1)
        )
    return step, np.concatenate(children), np.concatenate(children_uv)


def texture(name: str, uv: np.ndarray) -> np.ndarray:
    """Sample one of MakeHuman's grey masks ("lips", "eyelids" …) at uv: float64 in [0, 1]."""
    from scipy.ndimage import map_coordinates

    with Image.open(package() / f"data/mpfb2/textures/mpfb_{name}.jpg") as image:
        grey = np.asarray(image.convert("L"), dtype=np.float64) / 255
    at = np.nan_to_num(uv, nan=0.0)
    rows, columns = (1 - at[:, 1]) * (grey.shape[0] - 1), at[:, 0] * (grey.shape[1] - 1)
    value = map_coordinates(grey, [rows, columns], order=1)
    return np.where(np.isnan(uv[:, 0]), 0.0, value)
