import pytest
from transformers import AutoConfig

from agents.vlm import Dynam3DConfig
from tests.agents.vlm.models import LEVEL_IDS, small_config


def test_it_is_written_and_read(tmp_path):
    config = small_config(queries=4, perception={"encoder": "mini"}, step_deg=30.0)
    config.save_pretrained(tmp_path)
    for again in (Dynam3DConfig.from_pretrained(tmp_path), AutoConfig.from_pretrained(tmp_path)):
        assert isinstance(again, Dynam3DConfig)
        assert again.level_token_ids == LEVEL_IDS
        assert again.levels == list(LEVEL_IDS)
        assert (again.queries, again.step_deg, again.perception) == (4, 30.0, {"encoder": "mini"})
        assert again.image_token_id == LEVEL_IDS["patch"]
        assert again.tie_word_embeddings
        assert again.get_text_config().hidden_size == 32


def test_a_model_without_patches_has_its_first_level_as_the_image():
    assert small_config(levels=["zone", "path"]).image_token_id == LEVEL_IDS["zone"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"levels": ["patch", "zonne"]}, "no memory level 'zonne'.*'zone'"),
        ({"levels": ["patch", "view"]}, "placeholder for each"),
        ({"levels": ["patch", "patch"]}, "each once"),
        ({"levels": []}, "at least one"),
        ({"prompt_attention": "ful"}, "no prompt attention 'ful'"),
        ({"position_width": 0}, "at least 1"),
        ({"queries": -1}, "queries at least 0"),
        ({"query_gradient": 1.5}, r"\[0, 1\], got 1.5"),
        ({"levels": ["zone"], "queries": 2}, "queries"),
        ({"action_token_ids": [5, 20]}, r"no placeholder.*\[5\]"),
        ({"action_token_ids": []}, "at least one token"),
        ({"action_token_ids": [20, 50]}, r"\[0, 50\)"),
        ({"truncate_token_id": -3}, r"\[0, 50\)"),
    ],
)
def test_fields_that_do_not_fit_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        small_config(**fields)


def test_a_prefix_needs_to_know_where_it_ends():
    config = small_config().to_dict()
    with pytest.raises(ValueError, match="needs answer_token_id"):
        Dynam3DConfig.from_dict({**config, "answer_token_id": None})
