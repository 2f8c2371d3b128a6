"""People who take part in a study: they read what the page says and do it, all at the same time."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from playwright.sync_api import Error, Page
from tests.web.browsing import violations

# What is on the screen, as a person would say it.
STATE = """() => {
  const seen = (id) => { const one = document.getElementById(id); return !!one && !one.hidden; };
  const room = document.getElementById("room");
  const image = document.querySelector("#frame img");
  const what = !room ? location.pathname.split("/").pop()
    : seen("end") ? "end" : seen("rest") ? "rest" : seen("on") ? "feedback"
    : room.dataset.ready === "yes" ? "face" : "";
  return {
    what, unsaved: room ? room.dataset.unsaved : "0", practice: seen("feedback"),
    picture: image ? new URL(image.src).pathname.split("/").pop() : null,
  };
}"""
# Who does not look: presses the same button as soon as it counts.
HASTY = """
setInterval(() => {
  const room = document.getElementById("room");
  if (room?.dataset.ready === "yes") document.querySelector("[data-answer=Average]").click();
}, 30);
"""
PATIENCE = 5  # seconds, then they press again
WAIT = 3000  # ms for a button that can be pressed


@dataclass
class Person:
    """Somebody who takes part.

    Attributes:
        page: their browser's, after the link was claimed.
        judge: the answer that they give to a picture by its id; None for who does not look.
        touch: whether they tap on buttons instead of pressing keys.
        careful: whether each kind of page is checked for everybody's use, and for its width.
        came_by: what they have seen, in its order.
        asked: the pictures that they answered, in the study.
    """

    page: Page
    judge: Callable[[str], str] | None
    touch: bool = False
    careful: bool = False
    came_by: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    words: dict[str, str] = field(default_factory=dict)
    _since: float = 0.0
    _before: str | None = None
    _acted: tuple[str, str | None] | None = None
    _at: float = 0.0

    @property
    def done(self) -> bool:
        return self.came_by[-1:] == ["done"]

    def act(self) -> None:
        """Do what the page asks for, if it asks for anything."""
        try:
            state = self.page.evaluate(STATE)
        except Error:  # the page is just being left
            return
        what = state["what"]
        if not what or (what == "end" and state["unsaved"] != "0"):
            return
        kind = "practice" if what == "face" and state["practice"] else what
        if kind != (self.came_by or [""])[-1]:
            if kind not in self.came_by:
                self._look(kind)
            self.came_by.append(kind)
        if what == "face":
            self._answer(state["picture"], state["practice"])
            return
        if (what, state["picture"]) == self._acted and time.monotonic() - self._at < PATIENCE:
            return  # it has been done, and the page needs a moment
        self._acted, self._at = (what, state["picture"]), time.monotonic()
        try:
            self._do(what)
        except Error:  # the page was left meanwhile
            return

    def _do(self, what: str) -> None:
        if what == "questions":
            self.page.fill("input[name=age]", "33", timeout=WAIT)
            self.page.click("button[type=submit]", timeout=WAIT)
        elif what != "done":
            self._go_on({"examples": "a.primary", "feedback": "#on", "rest": "#rest-on",
                         "end": "#end-on"}[what])  # fmt: skip

    def _answer(self, picture: str, practice: bool) -> None:
        if picture != self._before:
            self._before, self._since = picture, time.monotonic()
        if self.judge is None or time.monotonic() - self._since < 0.35:  # so long they look at it
            return
        answer = self.judge(picture)
        if not practice:
            self.asked.append(picture)
        if self.touch:
            self.page.tap(f"[data-answer={answer}]")
        else:
            self.page.keyboard.press({"Minimal": "1", "Average": "2", "Strong": "3"}[answer])

    def _go_on(self, button: str) -> None:
        if self.touch:
            self.page.tap(button, timeout=WAIT)
        elif button in ("#on", "#rest-on"):
            self.page.keyboard.press("Enter")
        else:
            self.page.click(button, timeout=WAIT)

    def _look(self, kind: str) -> None:
        for selector in ("h1:visible", "#feedback", "#code", ".length"):
            if self.page.locator(selector).count():
                self.words[f"{kind} {selector}"] = self.page.locator(selector).first.inner_text()
        if self.careful:
            assert violations(self.page) == [], kind
            width = self.page.viewport_size["width"]
            assert self.page.evaluate("document.documentElement.scrollWidth") <= width, kind


def play(people: list[Person], meanwhile: Callable[[], None] = lambda: None) -> None:
    """Let all take part at the same time, until all are done."""
    end = time.monotonic() + 120
    while waiting := [one for one in people if not one.done]:
        assert time.monotonic() < end, [one.came_by for one in waiting]
        for one in waiting:
            one.act()
        meanwhile()
        waiting[0].page.wait_for_timeout(50)
