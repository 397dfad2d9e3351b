"""Clauses that all route instructions share, and how clauses become sentences."""

from __future__ import annotations

from collections.abc import Sequence

from vlnenv.houses.instructions.lexicon import Voice, article, sentence


def pass_clause(thing: str, side: str, voice: Voice) -> str:
    """Like "walk past the red sofa on your left"."""
    where = f" on {voice.pick('your', 'your', 'the')} {side}" if side else ""
    return voice.pick(
        f"walk past the {thing}{where}",
        f"go past the {thing}{where}",
        f"pass the {thing}{where}",
        f"continue past the {thing}{where}",
        f"pass by the {thing}{where}",
        f"walk by the {thing}{where}",
        f"pass {article(thing)}{where}",
        f"you will pass {article(thing)}{where}",
        f"walk with the {thing} on your {side}" if side else f"go by the {thing}",
        f"keep the {thing} on your {side} as you pass" if side else f"move past the {thing}",
    )


def stop_clause(thing: str, in_front: bool, voice: Voice) -> str:
    """Like "stop in front of the fridge"."""
    place = "in front of" if in_front else voice.pick("next to", "near", "by", "beside")
    end = voice.pick("stop", "stop", "wait")
    verb = voice.pick(end, end, end, "stop and wait")
    return voice.pick(
        f"{verb} {place} the {thing}",
        f"{verb} {place} the {thing}",
        f"{verb} {place} the {thing}",
        f"walk to the {thing} and {end} {place} it",
        f"walk up to the {thing} and {end}",
        f"stop when you reach the {thing}",
        f"stop once you reach the {thing}",
        f"stop when you get to the {thing}",
        f"go over to the {thing} and {end} there",
        f"go to the {thing} and {end}",
    )


def joined(clauses: Sequence[str], voice: Voice) -> str:
    """Sentences of one to three clauses."""
    sentences = []
    index = 0
    while index < len(clauses):
        text, count = clauses[index], 1
        index += 1
        while index < len(clauses) and count < 3 and voice.dice.chance(72 if count == 1 else 40):
            # "turn left and leave the room and ..." reads badly: a second "and" becomes "then".
            has_and = " and " in text or " and " in clauses[index]
            if has_and and "then" in text:
                break
            link = ", then " if has_and else voice.pick(" and ", " and ", ", then ", " and then ")
            text += link + clauses[index]
            count += 1
            index += 1
        sentences.append(sentence(text))
    return " ".join(sentences)
