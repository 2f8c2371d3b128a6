"""Label Studio's labeling configuration: the `<Image>` and the `<Choices>` that raters see."""

from dataclasses import dataclass
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

from emorank.answers.answers_table import RANKS, parse_answer
from emorank.errors import VotesError
from emorank.vocabulary import NONE

_MOST = 100_000
_HOTKEYS = dict(zip((*RANKS, NONE), "1230", strict=True))


@dataclass(frozen=True)
class LabelingConfig:
    """The parts of a configuration that tasks have to fit.

    Attributes:
        key: the name in `data` under which the image's address is.
        object: the name of the `<Image>` tag; `control` is that of the `<Choices>` tag.
        question: above the image; `$emotion` is replaced by the task's word.
    """

    key: str = "image"
    object: str = "image"
    control: str = "intensity"
    question: str = "How strongly does this face express: $emotion?"
    choices: tuple[str, ...] = (*RANKS, NONE)


def labeling_config(config: LabelingConfig | None = None) -> str:
    """The XML to paste into a project's Labeling Interface, Code; keys 1, 2, 3, and 0 for None."""
    config = config or LabelingConfig()
    choices = "\n".join(
        f"    <Choice value={quoteattr(word)}"
        + (f' hotkey="{_HOTKEYS[parse_answer(word)]}"' if parse_answer(word) in _HOTKEYS else "")
        + "/>"
        for word in config.choices
    )
    return (
        "<View>\n"
        f"  <Header value={quoteattr(config.question)}/>\n"
        f"  <Image name={quoteattr(config.object)} value={quoteattr('$' + config.key)}/>\n"
        f"  <Choices name={quoteattr(config.control)} toName={quoteattr(config.object)} "
        'choice="single" required="true" showInline="true">\n'
        f"{choices}\n"
        "  </Choices>\n"
        "</View>\n"
    )


def read_labeling_config(xml: str) -> LabelingConfig:
    """The configuration of a project, such as a lab's own.

    Raises:
        VotesError: it is no XML, declares entities, has not exactly one `<Image>` and one
            `<Choices>` for it, allows several choices, or has a choice that is no answer.
    """
    if len(xml) > _MOST or "<!" in xml:
        raise VotesError(f"expected a configuration of at most {_MOST:,} characters, without <!")
    try:
        # Entities, which could unfold to gigabytes, are refused above.
        root = ElementTree.fromstring(xml)  # noqa: S314
    except ElementTree.ParseError as error:
        raise VotesError(f"the labeling configuration is no XML: {error}") from None
    images = [tag for tag in root.iter() if tag.tag == "Image"]
    controls = [tag for tag in root.iter() if tag.tag == "Choices"]
    if len(images) != 1 or len(controls) != 1:
        raise VotesError(
            f"expected one <Image> and one <Choices>, came {len(images)} and {len(controls)}"
        )
    image, control = images[0], controls[0]
    if control.get("toName") != image.get("name") or control.get("choice", "single") == "multiple":
        raise VotesError("expected <Choices> for the <Image>, with choice=single")
    words = tuple(choice.get("value", "") for choice in control.iter("Choice"))
    for word in words:
        parse_answer(word)
    headers = [tag.get("value", "") for tag in root.iter("Header")]
    return LabelingConfig(
        key=image.get("value", "").removeprefix("$"),
        object=image.get("name", ""),
        control=control.get("name", ""),
        question=headers[0] if headers else "",
        choices=words,
    )
