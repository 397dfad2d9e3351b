from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models
from transformers import AutoProcessor, PreTrainedTokenizerFast

from agents.vlm.processor import Dynam3DProcessor
from agents.vlm.rows import count_levels, memory_rows
from tests.agents.vlm.fakes import TEXT, TOKENIZERS, word_tokenizer
from tests.agents.vlm.test_rows import COUNTS, DIM, random_observation

NONE = [-1, -1, -1]


def small_processor(tokenizer: Any = None, **settings: Any) -> Dynam3DProcessor:
    settings = {"token_dim": DIM, "levels": ("patch", "instance", "zone"), "patch_pool": (4, 2), **settings}
    return Dynam3DProcessor(tokenizer or word_tokenizer(), **settings)


def full_observation(size: int = 3) -> dict[str, Any]:
    observation = random_observation(size)
    observation["instruction"] = tuple(f"{'walk ' * row}to the bed" for row in range(size))
    observation["action_history"] = np.full((size, 4, 3), -1)
    observation["action_history"][-1, 2:] = [[0, 1, 2], [0, 23, 0]]
    return observation


def placeholder_numbers(processor: Dynam3DProcessor, ids: Any) -> dict[str, int]:
    numbers = {
        level: int((np.asarray(ids) == processor.tokenizer.convert_tokens_to_ids(f"<{level}>")).sum())
        for level in COUNTS
    }
    return {level: number for level, number in numbers.items() if number}


@pytest.mark.parametrize("tokenizer", TOKENIZERS.values())
def test_observation_becomes_inputs(tokenizer: Any) -> None:
    processor = small_processor(tokenizer())
    inputs = processor.from_observation(full_observation(), [2, 0])
    ids, mask, rows = inputs["input_ids"], inputs["attention_mask"], inputs["pixel_values"]
    assert ids.dtype == mask.dtype == torch.int64
    assert rows.dtype == torch.float32
    assert rows.shape[2] == 4 + DIM
    assert (mask[:, -1] == 1).all()
    assert (ids[mask == 0] == processor.tokenizer.pad_token_id).all()
    for row, sample in zip(ids, rows, strict=True):
        assert placeholder_numbers(processor, row) == count_levels(sample.numpy())
        begin = processor.tokenizer.bos_token_id
        assert begin is None or int((row == begin).sum()) == 1
    text = processor.tokenizer.decode(ids[0][mask[0] == 1])
    assert text.replace(" ", "").endswith(
        "turnleft1steps,move2steps;turnright1steps,move0steps.nextaction:<answer>"
    )


def test_a_sample_does_not_depend_on_the_batch() -> None:
    processor, observation = small_processor(), full_observation()
    together = processor.from_observation(observation, range(3))
    for row in range(3):
        alone = processor.from_observation(observation, [row])
        length, count = alone["input_ids"].shape[1], alone["pixel_values"].shape[1]
        assert torch.equal(alone["input_ids"][0], together["input_ids"][row, -length:])
        assert torch.equal(alone["pixel_values"][0], together["pixel_values"][row, :count])


def test_own_histories_and_instructions() -> None:
    processor = small_processor()
    inputs = processor.from_observation(
        full_observation(),
        [1],
        histories=[[[0, 0, 1]] * 4],
        instructions=[TEXT],
        spatial_prompts=["turn right"],
    )
    text = processor.tokenizer.decode(inputs["input_ids"][0])
    assert "sofa, then turn left. hint : turn right history : turn left 0 steps, move 1 steps ;" in text


def test_empty_memory_and_queries() -> None:
    processor, observation = small_processor(queries=8), full_observation()
    for level in ("patch", "instance", "zone"):
        observation[f"{level}_mask"][0] = 0
    inputs = processor.from_observation(observation, range(3))
    assert placeholder_numbers(processor, inputs["input_ids"][0]) == {}
    assert placeholder_numbers(processor, inputs["input_ids"][1])["patch"] == 8
    assert not inputs["pixel_values"][0].any()
    assert (inputs["pixel_values"][1][:, 0] == 1).sum() > 8
    alone = processor.from_observation(observation, [0])
    assert alone["pixel_values"].shape == (1, 1, 4 + DIM)


@pytest.mark.parametrize("blind", ["instruction", "vision"])
def test_a_blind_agent_is_not_given_what_it_is_blind_to(blind: str, tmp_path: Path) -> None:
    small_processor(queries=8, blind=blind).save_pretrained(tmp_path)
    inputs = AutoProcessor.from_pretrained(tmp_path).from_observation(full_observation(), range(3))
    words = small_processor().tokenizer.batch_decode(inputs["input_ids"])
    assert all(("bed" in text) == (blind == "vision") for text in words)
    assert bool(inputs["pixel_values"].any()) == (blind == "instruction")
    assert bool(placeholder_numbers(small_processor(), inputs["input_ids"])) == (blind == "instruction")


def test_saved_and_loaded(tmp_path: Path) -> None:
    processor = small_processor(
        queries=8, units="metric", step_deg=30.0, explained=False, max_length=300, levels=("patch", "path")
    )
    processor.save_pretrained(tmp_path)
    settings = json.loads((tmp_path / "processor_config.json").read_text())
    assert settings["processor_class"] == "Dynam3DProcessor"
    assert settings["patch_pool"] == [4, 2]
    loaded = AutoProcessor.from_pretrained(tmp_path)
    assert isinstance(loaded, Dynam3DProcessor)
    assert loaded.to_dict() == processor.to_dict()
    assert loaded.grammar == processor.grammar
    observation = full_observation()
    observation["action_history"][-1, 2:] = NONE
    for key, value in processor.from_observation(observation, range(3)).items():
        assert torch.equal(loaded.from_observation(observation, range(3))[key], value)
    assert loaded.automaton().end_id == loaded.tokenizer.eos_token_id
    assert small_processor().automaton().end_id == loaded.tokenizer.convert_tokens_to_ids("<trunc>")


def test_long_prompts_lose_history_and_never_instructions() -> None:
    observation = full_observation()
    _, counts = memory_rows(observation, [2], ["instance"])
    processor = small_processor(levels=("instance",), max_length=sum(counts[0].values()) + 30)
    inputs = processor.from_observation(observation, [2])
    text = processor.tokenizer.decode(inputs["input_ids"][0])
    assert "walk walk to the bed history : turn right 1 steps, move 0 steps." in text
    with pytest.raises(ValueError, match="and at most 10 fit"):
        small_processor(levels=("instance",), max_length=10).from_observation(observation, [2])
    with pytest.raises(ValueError, match="make it by `prompts`"):
        small_processor(max_length=10)(text="walk " * 11)


def test_conversation_as_trl_has_it() -> None:
    processor, observation = small_processor(), full_observation()
    samples, counts = memory_rows(observation, range(2), processor.levels, patch_pool=(4, 2))
    texts = processor.prompts([TEXT, TEXT], [[NONE] * 4] * 2, counts)
    expected = processor(images=samples, text=texts)
    bare = [text[text.index("instruction") :] for text in texts]
    for said in (texts, bare):
        conversations = [
            [
                {
                    "role": "user",
                    "content": [{"type": "image", "image": rows.tolist()}, {"type": "text", "text": text}],
                }
            ]
            for rows, text in zip(samples, said, strict=True)
        ]
        inputs = processor.apply_chat_template(
            conversation=conversations,
            tools=None,
            chat_template=None,
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
        )
        assert inputs["input_ids"] == expected["input_ids"]
        assert torch.equal(inputs["pixel_values"], expected["pixel_values"])
        assert processor.apply_chat_template(conversations) == texts
        assert processor.apply_chat_template(conversations[0]) == texts[0]
        assert processor.apply_chat_template(conversations[0], tokenize=True) == expected["input_ids"][0]
    nested = processor(
        images=[[rows.tolist()] for rows in samples], text=texts, padding=True, return_tensors="pt"
    )
    assert torch.equal(nested["pixel_values"], expected["pixel_values"])
    assert nested["input_ids"].shape == nested["attention_mask"].shape


def test_trl_prepares_the_same_inputs() -> None:
    data_utils = pytest.importorskip("trl.data_utils")
    processor, observation = small_processor(), full_observation()
    samples, counts = memory_rows(observation, [1], processor.levels, patch_pool=(4, 2))
    (text,) = processor.prompts([TEXT], [[NONE] * 4], counts)
    prompt = [{"role": "user", "content": text[text.index("instruction") :]}]
    prompt = data_utils.prepare_multimodal_messages(prompt, images=[samples[0]])
    assert data_utils.apply_chat_template({"prompt": prompt}, processor)["prompt"] == text


def test_text_only() -> None:
    processor = small_processor()
    inputs = processor.apply_chat_template(
        [[{"role": "user", "content": TEXT}, {"role": "assistant", "content": "<answer>stop."}]],
        tokenize=True,
        return_dict=True,
    )
    assert set(inputs) == {"input_ids", "attention_mask"}
    assert processor.tokenizer.decode(inputs["input_ids"][0]).endswith("left. <answer> stop.")
    assert set(processor(text=TEXT, padding="left", return_tensors="pt")) == {"input_ids", "attention_mask"}


def test_errors() -> None:
    processor, observation = small_processor(), full_observation()
    rows = np.zeros((2, 4 + DIM), dtype=np.float32)
    rows[:, 0] = 2
    with pytest.raises(ValueError, match="text 0 has 1 <instance> placeholders, its memory needs 2"):
        processor(images=[rows], text="<instance>walk")
    with pytest.raises(ValueError, match="text 0 has 1 <instance> placeholders, its memory needs 0"):
        processor(text="<instance>walk")
    with pytest.raises(ValueError, match=f"rows of {4 + DIM} numbers"):
        processor(images=[np.zeros((2, 3 + DIM))], text="walk")
    with pytest.raises(ValueError, match=r"rows of 11 numbers .* use the encoder"):
        small_processor(token_dim=7).from_observation(observation, [0])
    with pytest.raises(ValueError, match="memory rows of 1 texts, got 2"):
        processor(images=[rows, rows], text="walk")
    with pytest.raises(ValueError, match="one array of memory rows, got 2"):
        processor(images=[[rows, rows]], text="walk")
    with pytest.raises(ValueError, match=r"unknown arguments \['suffix'\]"):
        processor(text="walk", suffix="x")
    with pytest.raises(ValueError, match="expected no chat_template"):
        processor.apply_chat_template([], tools=[len])
    with pytest.raises(ValueError, match="has texts and arrays of memory rows"):
        processor.apply_chat_template([{"role": "user", "content": [{"type": "image"}]}])
    with pytest.raises(ValueError, match="expected texts"):
        processor(images=[rows])
    with pytest.raises(ValueError, match="Did you mean 'patch'"):
        small_processor(levels=("patchs",))
    with pytest.raises(ValueError, match="token_dim and max_length"):
        small_processor(token_dim=0)
    words = Tokenizer(models.WordLevel({"<unk>": 0, "walk": 1}, unk_token="<unk>"))
    bare = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="<unk>")
    with pytest.raises(ValueError, match="no padding token"):
        small_processor(bare)
    bare.pad_token = "<unk>"
    with pytest.raises(ValueError, match="has no token '<patch>'"):
        small_processor(bare)
