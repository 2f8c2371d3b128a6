"""Draws docs/images/data_flow.svg: what goes in, what comes out, step by step.

python docs/images/data_flow.py
"""

from pathlib import Path

WIDTH, HEIGHT, GAP = 152, 74, 26
STEPS = (
    ("Pictures", ("photographs, films,", "data sets, a camera")),
    ("Faces", ("found, turned level,", "cropped")),
    ("Expression", ("a network gives each", "emotion a logit")),
    ("Relevance", ("which pixels speak", "for it and against")),
    ("Rank", ("None, Minimal,", "Average, Strong")),
    ("Report", ("tables, figures,", "intervals, verdict")),
)
BELOW = {
    0: ("Your folder", ("JAFFE, CK+, KDEF,", "AffectNet, …")),
    4: ("Raters' answers", ("majority, agreement", "of the raters")),
}


def box(left: float, top: float, title: str, lines: tuple[str, ...], soft: bool = False) -> str:
    """One box with a title and two lines."""
    fill, edge = ("#ffffff", "#94a3b8") if soft else ("#fff7ed", "#c2410c")
    middle = left + WIDTH / 2
    texts = [f'<text x="{middle}" y="{top + 25}" class="title">{title}</text>']
    texts += [
        f'<text x="{middle}" y="{top + 44 + 15 * n}">{line}</text>' for n, line in enumerate(lines)
    ]
    return (
        f'<rect x="{left}" y="{top}" width="{WIDTH}" height="{HEIGHT}" rx="9" fill="{fill}" '
        f'stroke="{edge}" stroke-width="1.5"/>' + "".join(texts)
    )


def arrow(x1: float, y1: float, x2: float, y2: float) -> str:
    """A line with a head at its end."""
    return f'<path d="M{x1} {y1}L{x2} {y2}" class="arrow" marker-end="url(#head)"/>'


def main() -> None:
    """Write the drawing."""
    full = len(STEPS) * (WIDTH + GAP) - GAP + 40
    low = 20 + HEIGHT + 34
    parts = []
    for number, (title, lines) in enumerate(STEPS):
        left = 20 + number * (WIDTH + GAP)
        parts.append(box(left, 20, title, lines))
        if number:
            parts.append(arrow(left - GAP + 2, 20 + HEIGHT / 2, left - 4, 20 + HEIGHT / 2))
        if number in BELOW:
            parts.append(box(left, low, *BELOW[number], soft=True))
            parts.append(arrow(left + WIDTH / 2, low - 2, left + WIDTH / 2, 20 + HEIGHT + 5))
    style = (
        "text{font:12px system-ui,-apple-system,'Segoe UI',sans-serif;fill:#475569;"
        "text-anchor:middle}.title{font-size:15px;font-weight:600;fill:#1e293b}"
        ".arrow{stroke:#64748b;stroke-width:2;fill:none}"
    )
    head = (
        '<marker id="head" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="6" markerHeight="6" '
        'orient="auto"><path d="M0 0L8 4L0 8z" fill="#64748b"/></marker>'
    )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {full} {low + HEIGHT + 20}" '
        f'width="{full}" height="{low + HEIGHT + 20}"><style>{style}</style><defs>{head}</defs>'
        f'<rect width="100%" height="100%" rx="12" fill="#f8fafc"/>{"".join(parts)}</svg>\n'
    )
    (Path(__file__).parent / "data_flow.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
