from __future__ import annotations

import math

import numpy as np
import pytest

from tests.houses.hand_made import HOUSE, facts_of, path, thing
from vlnenv.houses import house_of, load_scene
from vlnenv.houses.instructions.facts import route_facts
from vlnenv.houses.instructions.vlm_writer import (
    VLMWriter,
    VLMWriterError,
    keyframe_views,
    objection_to,
    prompt_of,
)
from vlnenv.houses.routes.routes import describe_routes
from vlnenv.sim.camera import Camera
from vlnenv.sim.embree import EmbreeSimulator

transformers = pytest.importorskip("transformers")

DESK = thing(1, "desk", 3, 9.0, 7.0, "brown")
FACTS = facts_of(HOUSE, (DESK,), DESK, path((1.0, 1.0), (1.0, 3.7), (8.0, 3.8), (8.4, 6.4)), math.pi)
TEXT = "Leave the bedroom and turn left. Enter the office on your right and stop by the desk."
GOOD = (
    "Go out of the bedroom, then left. The office is to the right, wait at its desk.",
    "From the bedroom head left, then go right into the office and halt near the desk.",
)
BAD = "Leave the bedroom and turn right. Enter the office on your left and stop by the desk."
VIEWS = np.zeros((2, 16, 16, 3), np.uint8)


def tiny(tmp_path, answers):
    """A folder with a small random model whose only words are whole answers."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers

    special = ["<pad>", "<unk>", "<s>", "</s>", "<image>"]
    words = {word: number for number, word in enumerate([*special, *answers])}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        additional_special_tokens=["<image>"],
    )
    size = {"height": 16, "width": 16}
    processor = transformers.LlavaProcessor(
        image_processor=transformers.CLIPImageProcessorPil(size=size, crop_size=size),
        tokenizer=fast,
        patch_size=8,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=(
            "{% for m in messages %}{% for c in m['content'] %}{% if c['type'] == 'image' %}<image> "
            "{% else %}{{ c['text'] }}{% endif %}{% endfor %}{% endfor %}"
        ),
    )
    layers = {"hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = transformers.LlavaConfig(
        vision_config=transformers.CLIPVisionConfig(**layers, image_size=16, patch_size=8),
        text_config=transformers.LlamaConfig(**layers, vocab_size=len(words), num_key_value_heads=2),
        image_token_index=words["<image>"],
        vision_feature_layer=-1,
    )
    torch.manual_seed(0)
    model = transformers.LlavaForConditionalGeneration(config)
    model.generation_config.suppress_tokens = list(range(len(special)))
    model.save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    return str(tmp_path)


def test_the_model_rewrites_what_was_checked(tmp_path):
    writer = VLMWriter.from_pretrained(tiny(tmp_path, GOOD), max_new_tokens=1, local_files_only=True)
    texts = writer.rewrite(VIEWS, FACTS, [TEXT, TEXT])
    assert len(texts) == 2
    assert set(texts) <= set(GOOD)
    assert texts == writer.rewrite(VIEWS, FACTS, [TEXT, TEXT])


def test_an_answer_that_changes_the_way_is_an_error(tmp_path):
    writer = VLMWriter.from_pretrained(tiny(tmp_path, [BAD]), max_new_tokens=1, local_files_only=True)
    with pytest.raises(VLMWriterError, match=r"it says \['right', 'left'\]"):
        writer.rewrite(VIEWS, FACTS, [TEXT])


def test_a_processor_that_cannot_ask_is_refused():
    with pytest.raises(ValueError, match="no chat template"):
        VLMWriter(None, object())


def test_objections():
    assert objection_to(GOOD[0], TEXT, FACTS) == ""
    assert "words" in objection_to("Go.", TEXT, FACTS)
    assert "desk" in objection_to(GOOD[0].replace("desk", "piano"), TEXT, FACTS)
    assert "up" in objection_to(GOOD[0] + " Go up.", TEXT, FACTS)
    assert "ASCII" in objection_to(GOOD[0] + " \N{BULLET}", TEXT, FACTS)


def test_keyframes_are_shown_in_order():
    simulator = EmbreeSimulator(load_scene=load_scene)
    scene_id = "houses/test/0001"
    scene, house = simulator.load(scene_id), house_of(scene_id)
    route = describe_routes(simulator, scene, 1, "views", house=house)[0].route
    facts = route_facts(simulator, scene, house, route)
    camera = Camera(width=24, height=24, hfov_deg=90.0)
    views = keyframe_views(simulator, scene, facts, camera)
    assert views.shape == (min(8, len(facts.keyframes)), 24, 24, 3)
    two = keyframe_views(simulator, scene, facts, camera, most=2)
    assert np.array_equal(two, views[[0, -1]])
    assert facts.route.target.category in prompt_of(facts, TEXT)
    assert TEXT in prompt_of(facts, TEXT)
