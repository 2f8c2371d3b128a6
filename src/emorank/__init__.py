"""Reads a face, names the expressed emotion, explains it by relevance, ranks its intensity.

What the names below do is in docs/api.md, with an example each. They are loaded when they are first
asked for, so that `import emorank` costs a millisecond and not seconds of PyTorch.
"""

import logging
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emorank.answers.answers_table import answers_table
    from emorank.answers.interchange import write_answers
    from emorank.answers.voting import majority, verdicts
    from emorank.datasets import load as load_dataset
    from emorank.errors import EmorankError
    from emorank.evaluation.maps.map_scores import Settings as FaithfulnessSettings
    from emorank.evaluation.raters.agreement import agreement as rater_agreement
    from emorank.faces import crop as crop_face
    from emorank.faces import find as find_faces
    from emorank.film.drawn import draw_film
    from emorank.film.watch import watch
    from emorank.framing import View
    from emorank.images import Limits as ImageLimits
    from emorank.images import center as crop_center
    from emorank.images import read as read_image
    from emorank.networks.network import load_network
    from emorank.networks.normalisation import Normalisation
    from emorank.networks.normalisation import to_batch as normalise_images
    from emorank.networks.onnx_files import read_onnx
    from emorank.ranking import rank as interval_rank
    from emorank.reading.along_sequences import smooth_ranks
    from emorank.reading.explanations import explain_images, save_relevance
    from emorank.relevance import relevance as propagate_relevance
    from emorank.report.explained import draw_classes, draw_explanation
    from emorank.report.intensity import draw_intensity
    from emorank.report.reading import draw_reading
    from emorank.room.sources import read_answers, read_votes
    from emorank.scale.asked_relevance import AnyNetwork
    from emorank.scale.explain_many import explain_many
    from emorank.scale.rank_many import rank_many
    from emorank.study.card import model_card
    from emorank.study.explained_faces import Rules
    from emorank.study.folder import Study, create_study, open_study
    from emorank.study.learning.train_ordinal import train_ordinal
    from emorank.study.plan import Plan, read_plan
    from emorank.study.plan import override as override_plan
    from emorank.study.readers import explain_intensity, rank_images, read
    from emorank.study.reproducing.paper import paper as write_paper
    from emorank.study.resolve import resolve as resolve_plan
    from emorank.study.run import run as run_study
    from emorank.study.verbs.add_compounds import add_compounds
    from emorank.study.verbs.audit_ranks import audit as audit_study
    from emorank.study.verbs.compare_estimators import compare as compare_study
    from emorank.study.verbs.measure_faithfulness import faithfulness as measure_faithfulness
    from emorank.study.verbs.results_by_group import results_by_group
    from emorank.vocabulary import Emotion, Rank

__version__ = "1.0.0"

__all__ = [
    "AnyNetwork",
    "EmorankError",
    "Emotion",
    "FaithfulnessSettings",
    "ImageLimits",
    "Normalisation",
    "Plan",
    "Rank",
    "Rules",
    "Study",
    "View",
    "add_compounds",
    "answers_table",
    "audit_study",
    "compare_study",
    "create_study",
    "crop_center",
    "crop_face",
    "draw_classes",
    "draw_explanation",
    "draw_film",
    "draw_intensity",
    "draw_reading",
    "explain_images",
    "explain_intensity",
    "explain_many",
    "find_faces",
    "interval_rank",
    "load_dataset",
    "load_network",
    "majority",
    "measure_faithfulness",
    "model_card",
    "normalise_images",
    "open_study",
    "override_plan",
    "propagate_relevance",
    "rank_images",
    "rank_many",
    "rater_agreement",
    "read",
    "read_answers",
    "read_image",
    "read_onnx",
    "read_plan",
    "read_votes",
    "resolve_plan",
    "results_by_group",
    "run_study",
    "save_relevance",
    "smooth_ranks",
    "train_ordinal",
    "verdicts",
    "watch",
    "write_answers",
    "write_paper",
]

# Each name: the module that holds it, and what it is called there. None may be the name of a module
# of the package (`relevance`, say): importing that module would take the name's place.
_PLACES = {
    # a study
    "Plan": ("study.plan", "Plan"),
    "read_plan": ("study.plan", "read_plan"),
    "override_plan": ("study.plan", "override"),
    "resolve_plan": ("study.resolve", "resolve"),
    "create_study": ("study.folder", "create_study"),
    "open_study": ("study.folder", "open_study"),
    "run_study": ("study.run", "run"),
    "audit_study": ("study.verbs.audit_ranks", "audit"),
    "compare_study": ("study.verbs.compare_estimators", "compare"),
    "write_paper": ("study.reproducing.paper", "paper"),
    "train_ordinal": ("study.learning.train_ordinal", "train_ordinal"),
    "read": ("study.readers", "read"),
    "draw_reading": ("report.reading", "draw_reading"),
    "rank_images": ("study.readers", "rank_images"),
    "rank_many": ("scale.rank_many", "rank_many"),
    "watch": ("film.watch", "watch"),
    "draw_film": ("film.drawn", "draw_film"),
    "explain_many": ("scale.explain_many", "explain_many"),
    "smooth_ranks": ("reading.along_sequences", "smooth_ranks"),
    "explain_intensity": ("study.readers", "explain_intensity"),
    "draw_intensity": ("report.intensity", "draw_intensity"),
    "add_compounds": ("study.verbs.add_compounds", "add_compounds"),
    "results_by_group": ("study.verbs.results_by_group", "results_by_group"),
    "model_card": ("study.card", "model_card"),
    "measure_faithfulness": ("study.verbs.measure_faithfulness", "faithfulness"),
    # anybody's network
    "load_network": ("networks.network", "load_network"),
    "read_onnx": ("networks.onnx_files", "read_onnx"),
    "explain_images": ("reading.explanations", "explain_images"),
    "draw_classes": ("report.explained", "draw_classes"),
    "draw_explanation": ("report.explained", "draw_explanation"),
    "save_relevance": ("reading.explanations", "save_relevance"),
    # their parts
    "read_image": ("images", "read"),
    "find_faces": ("faces", "find"),
    "crop_face": ("faces", "crop"),
    "crop_center": ("images", "center"),
    "normalise_images": ("networks.normalisation", "to_batch"),
    "load_dataset": ("datasets", "load"),
    "propagate_relevance": ("relevance", "relevance"),
    "interval_rank": ("ranking", "rank"),
    "read_votes": ("room.sources", "read_votes"),
    "majority": ("answers.voting", "majority"),
    "answers_table": ("answers.answers_table", "answers_table"),
    "read_answers": ("room.sources", "read_answers"),
    "write_answers": ("answers.interchange", "write_answers"),
    "verdicts": ("answers.voting", "verdicts"),
    "rater_agreement": ("evaluation.raters.agreement", "agreement"),
    # what some of them take or return
    "Study": ("study.folder", "Study"),
    "AnyNetwork": ("scale.asked_relevance", "AnyNetwork"),
    "Rules": ("study.explained_faces", "Rules"),
    "View": ("framing", "View"),
    "Normalisation": ("networks.normalisation", "Normalisation"),
    "FaithfulnessSettings": ("evaluation.maps.map_scores", "Settings"),
    "ImageLimits": ("images", "Limits"),
    # words
    "Emotion": ("vocabulary", "Emotion"),
    "Rank": ("vocabulary", "Rank"),
    "EmorankError": ("errors", "EmorankError"),
}

# Former names: the public name that is used instead, and the version in which the old one goes.
_FORMER: dict[str, tuple[str, str]] = {}


# What the parts say goes to the loggers of their modules, and nowhere until a program wants to hear
# it: logging.getLogger("emorank").setLevel(logging.INFO), with a handler.
logging.getLogger("emorank").addHandler(logging.NullHandler())


# Hidden from the type checker, which would take it to mean that any name exists.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Load a public name when it is first asked for (PEP 562)."""
        if name in _FORMER:
            from emorank.deprecation import warn_of

            instead, goes = _FORMER[name]
            warn_of(f"emorank.{name}", f"emorank.{instead}", goes)
            return globals()[instead] if instead in globals() else __getattr__(instead)
        if name not in _PLACES:
            raise AttributeError(f"module 'emorank' has no attribute '{name}'")
        module, attribute = _PLACES[name]
        value = getattr(import_module(f"emorank.{module}"), attribute)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    """The public names, loaded or not."""
    return sorted({*globals(), *__all__})
