from __future__ import annotations

from tests.houses.hand_made import thing
from vlnenv.houses import house_of, load_scene
from vlnenv.houses.instructions.landmarks import landmarks_of, mention_of, noun_phrase
from vlnenv.houses.instructions.mentions import Mention, may_mean


def test_noun_phrases_are_unique():
    red = thing(1, "chair", 0, 0, 0, "red")
    blue, red_too = thing(2, "chair", 0, 1, 0, "blue"), thing(3, "chair", 0, 2, 0, "red")
    assert noun_phrase(red, [red], with_color=False) == "chair"
    assert noun_phrase(red, [red], with_color=True) == "red chair"
    assert noun_phrase(red, [red, blue], with_color=False) == "red chair"
    assert noun_phrase(red, [red, blue, red_too], with_color=True) is None
    plain = thing(4, "sofa", 0, 0, 0, "")
    assert noun_phrase(plain, [plain], with_color=True) == "sofa"


def test_names_cover_what_a_reader_could_take_for_them():
    assert may_mean("sink", "kitchen sink")
    assert may_mean("cabinet", "sideboard")
    assert not may_mean("sofa", "bed")
    chair, armchair = thing(1, "chair", 0, 0, 0, "red"), thing(2, "armchair", 0, 1, 0, "red")
    assert mention_of(chair, [chair, armchair]) is None
    assert Mention("chair", "white").fits("chair", "cream", "")  # too near to tell apart
    assert not Mention("chair", "white").fits("chair", "red", "")
    assert not Mention("chest", "", "wooden").fits("chest", "", "wicker")


def test_landmarks_of_a_house_know_their_rooms():
    scene_id = "houses/test/0000"
    house = house_of(scene_id)
    found = landmarks_of(load_scene(scene_id), house)
    pieces = {piece.name: piece for piece in house.furniture}
    assert len(found) > 20
    for landmark in found:
        piece = pieces[landmark.name]
        assert (landmark.room, landmark.category, landmark.support) == (
            piece.room,
            piece.category,
            piece.support,
        )
        assert landmark.support != "ceiling"
