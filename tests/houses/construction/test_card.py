from __future__ import annotations

import json
from dataclasses import replace

from vlnenv.houses.construction.building import build_scene
from vlnenv.houses.construction.card import scene_card
from vlnenv.houses.furnishing.critics import CRITICS
from vlnenv.houses.house import VERSION, house_of


def test_a_card_says_what_is_there():
    house = house_of("houses/train/0001")
    scene = build_scene(house)
    card = scene_card(house, scene)
    assert json.loads(json.dumps(card)) == card
    assert card == scene_card(house)
    assert card["version"] == VERSION
    assert set(card["critics"]) == set(CRITICS)
    assert card["floors"] == house.plan.levels
    assert sum(room["pieces"] for room in card["rooms"]) == card["pieces"]
    assert 0.3 * card["area_m2"] < card["walkable_m2"] < card["area_m2"]
    assert card["narrowest_door_cm"] >= 80
    assert card["hash"] == scene.key
    named = {room["name"] for room in card["rooms"]} | {"outside"}
    assert {room for door in card["doors"] for room in door["rooms"]} <= named


def test_a_card_tells_what_critics_say():
    house = house_of("houses/train/0001")
    piece = next(p for p in house.furniture if p.category == "sofa")
    twins = replace(house, furniture=(*house.furniture, replace(piece, name="sofa_99")))
    verdict = scene_card(twins, build_scene(house))["critics"]["collision"]
    assert verdict["score"] < 1.0
    assert any("sofa_99" in text for text in verdict["complaints"])
