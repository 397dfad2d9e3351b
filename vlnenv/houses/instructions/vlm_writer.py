"""Paraphrases by an image-text model: it sees the views at a route's keyframes and a checked instruction.

As in InternVLA-N1's engine, views are taken where the route turns. The grammar's instruction, whose program
the ambiguity filter has followed, says what is true; the model says it in its own words. What it answers is
checked: an answer that changes the way is not used, and is never silently replaced by another text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from vlnenv.houses.instructions.facts import RouteFacts, headings_along
from vlnenv.houses.instructions.lexicon import THING_WORDS
from vlnenv.sim.camera import Camera
from vlnenv.sim.scene import Scene
from vlnenv.sim.simulator import Simulator

VIEW = Camera(width=336, height=336, hfov_deg=90.0)
"""What the model is shown."""
MOST_VIEWS = 8
LEAST_WORDS, MOST_WORDS = 5, 80


class VLMWriterError(RuntimeError):
    """The model gave no answer that says the same as the instruction."""


def keyframe_views(
    simulator: Simulator, scene: Scene, facts: RouteFacts, camera: Camera = VIEW, most: int = MOST_VIEWS
) -> np.ndarray:
    """What a walker sees at a route's keyframes.

    Args:
        simulator: Renders.
        scene: The route's.
        facts: Of the route.
        camera: Size and field of view.
        most: Evenly spaced keyframes are taken where there are more.

    Returns:
        uint8 (k, height, width, 3), in the order of the way.
    """
    rows = np.array(facts.keyframes)
    if len(rows) > most:
        rows = rows[np.linspace(0, len(rows) - 1, most).round().astype(int)]
    path = facts.route.path_m
    frames = simulator.render(scene, path[rows], headings_along(path)[rows], camera, ("rgb",))
    assert frames.rgb is not None
    return frames.rgb


def prompt_of(facts: RouteFacts, text: str) -> str:
    """What the model is asked, in words."""
    names = {landmark.id: str(landmark.category) for landmark in facts.landmarks}
    seen = [
        f"view {number + 1}: {', '.join(names[i] for i in ids[:5])}"
        for number, ids in enumerate(facts.in_view)
        if ids
    ]
    return (
        "The pictures are views along a walk through a house, in order. In view are "
        f"{'; '.join(seen) or 'walls'}. The walk ends at the {facts.route.target.category}. "
        f'This instruction describes it: "{text}" Write the instruction again in other words, as a person '
        "would say it. Keep every turn, room, door and object, and add nothing. Answer with the new "
        "instruction alone."
    )


def objection_to(answer: str, text: str, facts: RouteFacts) -> str:
    """Why an answer may not stand for the instruction that it rewrites; empty where it may.

    It has to name the same sides and floors in the same order, and the same object at the end.
    """
    words = len(answer.split())
    if not LEAST_WORDS <= words <= MOST_WORDS:
        return f"it has {words} words, not {LEAST_WORDS} to {MOST_WORDS}"
    if not answer.isascii():
        return "it is not plain ASCII"
    for pattern in (
        r"\b(left|right)\b",
        r"(?<!lie |sit )\b(up|down)(?:stairs)?\b",
        r"\b(first|second|third|fourth)\b",
    ):
        said, meant = (re.findall(pattern, each.lower()) for each in (answer, text))
        if said != meant:
            return f"it says {said} where the instruction says {meant}"
    category = facts.route.target.category
    names = {category, *THING_WORDS.get(category, ())}
    if any(name in text for name in names) and not any(name in answer.lower() for name in names):
        return f"it does not name the {category}"
    return ""


class VLMWriter:
    """Rewrites checked instructions with any image-text model of transformers.

    Args:
        model: As from `AutoModelForImageTextToText`.
        processor: The model's, as from `AutoProcessor`; it needs a chat template.
        max_new_tokens: Longest answer.
        tries: Answers asked for one instruction before giving up.
        seed: Of torch, for each instruction anew.

    Raises:
        ValueError: If the processor has no chat template.
    """

    def __init__(
        self, model: Any, processor: Any, *, max_new_tokens: int = 128, tries: int = 4, seed: int = 0
    ) -> None:
        if not getattr(processor, "chat_template", None):
            raise ValueError(
                f"{type(processor).__name__} has no chat template, so it is not known how to ask the model; "
                "use an instruction-tuned model"
            )
        self._model = model
        self._processor = processor
        self._max_new_tokens = max_new_tokens
        self._tries = tries
        self._seed = seed

    @classmethod
    def from_pretrained(
        cls,
        name: str,
        device: str = "cpu",
        *,
        max_new_tokens: int = 128,
        tries: int = 4,
        seed: int = 0,
        **options: Any,
    ) -> VLMWriter:
        """A writer with a model from a folder or a hub.

        Args:
            name: Folder, or name on the hub.
            device: Where the model runs.
            max_new_tokens: See `VLMWriter`, as `tries` and `seed`.
            tries: See there.
            seed: See there.
            **options: Of `AutoModelForImageTextToText.from_pretrained`: `dtype`, `local_files_only`.

        Raises:
            ImportError: If transformers is not installed.
        """
        try:
            from transformers import AutoModelForImageTextToText, AutoProcessor
        except ImportError as error:
            raise ImportError(
                'the VLM writer needs transformers: pip install "vlnenv[text]", or write with the grammar '
                "alone (vlnenv.houses.instructions.write)"
            ) from error
        hub = {key: options[key] for key in ("local_files_only", "revision", "token") if key in options}
        model: Any = AutoModelForImageTextToText.from_pretrained(name, **options)
        model = model.to(device).eval()
        processor = AutoProcessor.from_pretrained(name, **hub)
        return cls(model, processor, max_new_tokens=max_new_tokens, tries=tries, seed=seed)

    def rewrite(self, views: np.ndarray, facts: RouteFacts, texts: Sequence[str]) -> list[str]:
        """Each instruction in the model's words.

        Args:
            views: uint8 (k, height, width, 3), see `keyframe_views`.
            facts: Of the route.
            texts: Checked instructions, see `vlnenv.houses.instructions.write`.

        Returns:
            As many texts.

        Raises:
            VLMWriterError: If for one of them no answer says the same.
        """
        return [self._rewrite(views, facts, text) for text in texts]

    def _rewrite(self, views: np.ndarray, facts: RouteFacts, text: str) -> str:
        import torch
        from PIL import Image

        content: list[dict[str, Any]] = [{"type": "image", "image": Image.fromarray(view)} for view in views]
        content.append({"type": "text", "text": prompt_of(facts, text)})
        inputs = self._processor.apply_chat_template(
            [{"role": "user", "content": content}],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
        ).to(self._model.device)
        length = inputs["input_ids"].shape[1]
        objections = []
        with torch.random.fork_rng(), torch.inference_mode():
            torch.manual_seed(self._seed)
            for _ in range(self._tries):
                output = self._model.generate(**inputs, max_new_tokens=self._max_new_tokens, do_sample=True)
                answer = self._processor.batch_decode(output[:, length:], skip_special_tokens=True)[0]
                answer = " ".join(answer.strip().strip('"').split())
                objection = objection_to(answer, text, facts)
                if not objection:
                    return answer
                objections.append(f"{answer!r}: {objection}")
        raise VLMWriterError(
            f"the model rewrote {text!r} {self._tries} times and changed it every time; the last: "
            f"{objections[-1]}. Use a larger model, more tries, or the instruction as it is"
        )
