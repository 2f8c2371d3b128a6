"""Which of some types a client would rather have (RFC 9110, section 12.5.1)."""

from collections.abc import Sequence


def accepted(header: str, offered: Sequence[str]) -> str | None:
    """The type that the header Accept wants most, the first of equals; None if it wants none.

    An empty header wants all alike; so does a part that is malformed want what it says.
    """
    if not header.strip():
        return offered[0]
    wishes = [_wish(part) for part in header.split(",") if part.strip()]
    best = max(offered, key=lambda kind: _quality(kind, wishes))
    return best if _quality(best, wishes) > 0 else None


def _wish(part: str) -> tuple[str, float]:
    kind, *parameters = (word.strip().lower() for word in part.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return kind, min(1.0, max(0.0, float(value)))
            except ValueError:
                return kind, 0.0
    return kind, 1.0


def _quality(kind: str, wishes: list[tuple[str, float]]) -> float:
    """Of a type: that of the most specific wish that it fulfils."""
    for pattern in (kind, f"{kind.partition('/')[0]}/*", "*/*"):
        found = [quality for wish, quality in wishes if wish == pattern]
        if found:
            return max(found)
    return 0.0
