"""Words for programs of routes, in the manner of R2R's instructions."""

from __future__ import annotations

from collections import Counter

from vlnenv.houses.dice import Dice
from vlnenv.houses.instructions.ambiguity import HALLS, Reader, is_at_goal
from vlnenv.houses.instructions.clauses import joined, pass_clause, stop_clause
from vlnenv.houses.instructions.facts import RouteFacts
from vlnenv.houses.instructions.lexicon import ORDINALS, Voice
from vlnenv.houses.instructions.open_route import open_route_text
from vlnenv.houses.instructions.paraphrases import Draft, paraphrases
from vlnenv.houses.instructions.passages import STAIRS
from vlnenv.houses.instructions.program import Program, Step
from vlnenv.houses.instructions.r2r_program import draw_program

LENGTHS = (9, 11, 12, 14, 15, 16, 17, 18, 20, 21, 22, 23, 25, 26, 28, 30, 33, 37, 43, 50)
"""Words of the instructions that are aimed at: a little below R2R's percentiles, as some come out longer."""


def write_r2r(facts: RouteFacts, count: int, dice: Dice, rejections: Counter[str]) -> list[str]:
    """`count` paraphrases; none (and the reason counted) where the route is dropped."""
    house, route = facts.house, facts.route
    reader = None
    if house is not None:
        reader = Reader(house, facts.landmarks, route.start_m, route.heading_rad)
    rooms = tuple(leg.room for leg in facts.legs)

    def draft(detail: int) -> Draft | str:
        if house is None or reader is None:
            text = open_route_text(facts, dice)
            return "target has no name of its own" if text is None else Draft(lambda said, _: said, text)
        program = draw_program(facts, detail, dice)
        if program is None:
            return "target has no name of its own"
        ends = reader.ends(program)
        if not any(end.rooms == rooms for end in ends):
            return "instruction does not fit its own route"
        is_clear = all(is_at_goal(end, house, route.goal_m) for end in ends)
        if not is_clear or not reader.is_led_along(rooms, program):
            return "instruction fits another route"
        return Draft(text_of, program)

    return paraphrases(draft, LENGTHS, count, dice, rejections)


def text_of(program: Program, voice: Voice) -> str:
    """A program in words: sentences of one to three clauses, plain ASCII."""
    return joined(_Teller(program, voice).clauses(), voice)


class _Teller:
    """Tells a program step by step and remembers which rooms were introduced."""

    def __init__(self, program: Program, voice: Voice) -> None:
        self._steps = program.steps
        self._stop = program.stop
        self._voice = voice
        self._is_told = [False] * len(program.steps)
        self._is_another_said = [False] * len(program.steps)

    def clauses(self) -> list[str]:
        found: list[str] = []
        for number, step in enumerate(self._steps):
            is_last = number == len(self._steps) - 1
            if number == 0:
                found += self._begin(step)
            elif not step.climb:
                found += self._first_turn(number)
            for passing in step.passed:
                found.append(pass_clause(self._voice.thing(passing.mention), passing.side, self._voice))
            if is_last:
                break
            if step.climb:
                found += self._off_stairs(number)
                continue
            found += self._crossing(number)
        found.append(self._end(len(self._steps) - 1))
        return found

    def _begin(self, step: Step) -> list[str]:
        pick = self._voice.pick
        if step.first_turn == "around":
            return [pick("turn around", "turn around", "turn around", "turn all the way around")]
        if step.first_turn == "straight":
            return [pick("walk straight ahead", "go straight", "walk forward", "go forward")]
        if step.first_turn:
            side = step.first_turn
            return [pick(f"turn {side}", f"turn {side}", f"turn to your {side}", f"turn to the {side}")]
        return []

    def _first_turn(self, number: int) -> list[str]:
        step, pick = self._steps[number], self._voice.pick
        turn = step.first_turn
        if not turn:
            return []
        if turn == "straight":
            words = pick("go straight", "walk straight ahead", "keep going straight", "continue straight")
        else:
            words = pick(
                f"turn {turn}",
                f"turn {turn}",
                f"turn {turn}",
                f"take a {turn}",
                f"take a {turn} turn",
                f"go {turn}",
                f"make a {turn}",
                f"head {turn}",
                f"hang a {turn}",
            )
        if self._before(number) == STAIRS and self._steps[number - 1].climb:
            place = "top" if self._steps[number - 1].climb == "up" else "bottom"
            if not self._is_told[number]:
                words += pick("", f" at the {place}", f" at the {place} of the {self._voice.room(STAIRS)}")
        elif step.kind in HALLS and not self._is_told[number]:
            self._is_told[number] = True
            words += pick(" down", " into", " in") + f" {self._room(number)}"
        return [words]

    def _crossing(self, number: int) -> list[str]:
        """From inside a room to the next one."""
        step, following = self._steps[number], self._steps[number + 1]
        is_plain = not (step.last_turn or step.says_opening or step.at_end or following.climb)
        is_corner = step.is_hallway and following.is_hallway
        is_one = step.along in ("through", "down") and is_plain and not is_corner
        if is_one and self._voice.dice.chance(70) and self._introduces(number + 1, 60):
            into = self._room(number + 1)
            if step.along == "down":
                down = self._along(number)[0]
                return [down + self._voice.pick(f" to {into}", f" and into {into}", f" and enter {into}")]
            straight = "walk through" if step.bends else "walk straight through"
            through = self._voice.pick("walk through", "go through", straight)
            room = self._crossed(number)
            return [f"{through} {room}" + self._voice.pick(" into", " and into", " to") + f" {into}"]
        return [*self._along(number), self._way_out(number)]

    def _along(self, number: int) -> list[str]:
        """How a room is crossed, where that is said apart from the way out."""
        step, pick = self._steps[number], self._voice.pick
        is_untold_hall = number > 0 and step.kind in HALLS and not self._is_told[number]
        if step.at_end:
            self._is_told[number] = True
            room = self._room(number)
            return [
                pick(f"walk to the end of {room}", f"go to the end of {room}", f"go all the way down {room}")
            ]
        if step.along == "across":
            self._is_told[number] = True
            # Who comes from a hallway is still in it, to the reader.
            return ["keep going" if self._steps[number - 1].is_hallway else f"cross {self._room(number)}"]
        if step.along == "ahead":
            return [pick("walk straight ahead", "go straight", "walk forward", "keep going", "move forward")]
        if step.along == "down" or is_untold_hall:
            self._is_told[number] = True
            room = self._room(number)
            if step.first_turn or step.passed or self._steps[number - 1].is_hallway:
                return [pick(f"continue along {room}", f"keep going down {room}", f"continue down {room}")]
            return [
                pick(
                    f"walk down {room}",
                    f"go down {room}",
                    f"walk along {room}",
                    f"follow {room}",
                    f"proceed down {room}",
                    f"head down {room}",
                )
            ]
        if step.along == "through":
            room = self._crossed(number)
            straight = pick(" straight", "") if not (step.last_turn or step.bends) else ""
            return [
                pick(
                    f"walk{straight} through {room}",
                    f"go{straight} through {room}",
                    f"go{straight} across {room}",
                    f"cross {room}",
                )
            ]
        return []

    def _way_out(self, number: int) -> str:
        step, following = self._steps[number], self._steps[number + 1]
        if following.climb:
            return self._onto_stairs(step, following.climb)
        if step.is_hallway and following.is_hallway:
            return self._around_corner(number)
        introduces = self._introduces(number + 1, 45)
        leaves = (number == 0 or not introduces) and step.kind not in ("", *HALLS) and not step.along
        if leaves:
            return self._leave(number, self._room(number + 1) if introduces else "")
        if introduces:
            return self._enter(step, self._room(number + 1))
        return self._go_through(step)

    def _leave(self, number: int, into: str) -> str:
        step, pick = self._steps[number], self._voice.pick
        room = self._room(number)
        verb = pick(
            *("leave", "exit", "walk out of", "go out of", "leave", "exit", "step out of", "head out of"),
            *("come out of", "leave", "exit", "make your way out of"),
        )
        text = f"{verb} {room}"
        if step.last_turn and number > 0:
            text = pick(
                f"{verb} {room} through the {self._opening(step)} on your {step.last_turn}",
                f"turn {step.last_turn} and {verb} {room}",
            )
        elif step.last_turn and step.first_turn:
            text = f"{verb} {room} through the {self._opening(step)} on your {step.last_turn}"
        elif step.last_turn:
            text = pick(
                f"{verb} {room} through the {self._opening(step)} on the {step.last_turn}",
                f"turn {step.last_turn} out of {room}",
            )
        elif step.says_opening:
            text += f" through the {self._opening(step)}"
        if into:
            is_told = "turn " in text or "through" in text
            if is_told and verb != "leave":
                text += f" into {into}"
            elif verb == "leave":
                text += pick(f" and enter {into}", f" and go into {into}", f" and walk into {into}")
            else:
                text += pick(f" into {into}", f" into {into}", f" and enter {into}", f" and go into {into}")
        return text

    def _enter(self, step: Step, room: str) -> str:
        pick, side = self._voice.pick, step.last_turn
        opening = self._opening(step)
        if not side:
            if step.says_opening:
                return pick(
                    f"go through the {opening} into {room}", f"walk through the {opening} into {room}"
                )
            if step.at_end:
                return pick(f"enter {room}", f"go into {room}", f"walk into {room}")
            return pick(
                f"enter {room}",
                f"go into {room}",
                f"walk into {room}",
                f"go into {room}" if step.bends else f"continue into {room}",
                f"enter {room}" if step.bends else f"walk straight into {room}",
                f"step into {room}",
                f"walk into {room}" if step.bends else f"go straight into {room}",
                f"proceed into {room}",
                f"head into {room}",
                f"move into {room}",
            )
        your = pick("your", "your", "the")
        if step.ordinal:
            door = f"the {ORDINALS[step.ordinal]} door on {your} {side}"
            return pick(
                f"go through {door} into {room}",
                f"take {door} into {room}",
                f"enter {room} through {door}",
                f"walk through {door} into {room}",
            )
        if step.says_opening:
            return pick(
                f"go through the {opening} on {your} {side} into {room}",
                f"turn {side} and go through the {opening} into {room}",
                f"turn {side} through the {opening} into {room}",
            )
        return pick(
            f"turn {side} into {room}",
            f"turn {side} and enter {room}",
            f"go into {room} on {your} {side}",
            f"enter {room} on {your} {side}",
            f"take a {side} into {room}",
            f"walk into {room} on {your} {side}",
            f"make a {side} into {room}",
            f"head {side} into {room}",
            f"go {side} into {room}",
        )

    def _around_corner(self, number: int) -> str:
        """Out of one hallway into the next, which is named only where it has to be."""
        step, following = self._steps[number], self._steps[number + 1]
        is_last = number + 2 == len(self._steps)
        if following.kind and (following.needs_name or is_last):
            self._is_told[number + 1] = True
            return self._enter(step, self._room(number + 1))
        text = self._corner(step, following.bends)
        # Who keeps going along the hallway has been told that it goes on.
        self._is_told[number + 1] = bool(following.kind) and self._voice.room("hallway") in text
        return text

    def _corner(self, step: Step, bends_behind: bool) -> str:
        pick, side = self._voice.pick, step.last_turn
        hall = self._voice.room("hallway")
        if side:
            return pick(
                f"turn {side} through the {self._opening(step)}",
                f"follow the {hall} around to the {side}",
                f"turn {side} where the {hall} goes on",
            )
        if step.bends or bends_behind:
            return f"go through the {self._opening(step)}"
        return pick(
            f"keep going along the {hall}",
            f"continue down the {hall}",
            f"go straight through the {self._opening(step)}",
            "keep walking straight",
        )

    def _go_through(self, step: Step) -> str:
        """A way out into a room that is not named."""
        pick, side, opening = self._voice.pick, step.last_turn, self._opening(step)
        if side and step.ordinal:
            return pick("go through", "take") + f" the {ORDINALS[step.ordinal]} door on your {side}"
        if side:
            return pick(f"go through the {opening} on your {side}", f"turn {side} through the {opening}")
        straight = "go" if step.bends else "go straight"
        if not step.is_only_opening:
            return f"{straight} through the {opening}"
        return pick(
            f"go through the {opening}", f"walk through the {opening}", f"{straight} through the {opening}"
        )

    def _onto_stairs(self, step: Step, climb: str) -> str:
        pick, stairs, side = self._voice.pick, self._voice.room(STAIRS), step.last_turn
        your = pick("your", "the")
        verb = pick("go", "walk", "head") if climb == "down" else pick("go", "walk", "head", "climb")
        way = f"{verb} {climb}" if verb != "climb" else "climb"
        if side:
            return pick(
                f"turn {side} and {way} the {stairs}",
                f"{way} the {stairs} on {your} {side}",
                f"take the {stairs} on {your} {side} {climb} to the {self._floor(climb)} floor",
            )
        return pick(
            f"{way} the {stairs}",
            f"{way} the {stairs}",
            f"take the {stairs} {climb}",
            f"{pick('go', 'head')} {climb}stairs",
            f"{way} the {stairs} to the {self._floor(climb)} floor",
        )

    def _off_stairs(self, number: int) -> list[str]:
        if not self._introduces(number + 1, 40):
            return []
        place = "top" if self._steps[number].climb == "up" else "bottom"
        room = self._room(number + 1)
        return [self._voice.pick(f"enter {room} at the {place}", f"at the {place}, walk into {room}")]

    def _end(self, number: int) -> str:
        pick, mention = self._voice.pick, self._stop.mention
        if mention is None:
            verb = pick("stop", "stop", "wait")
            if self._steps[number].kind in HALLS:
                return f"{verb} there"
            return pick(f"{verb} there", "stop once you are inside", f"{verb} inside", "stop in there")
        return stop_clause(self._voice.thing(mention), self._stop.in_front, self._voice)

    def _introduces(self, number: int, percent: int) -> bool:
        """Whether a room is named on the way into it, as most are; otherwise on the way through it."""
        step, before = self._steps[number], self._steps[number - 1]
        can_be_late = step.kind in HALLS or (
            step.along == "through"
            and not step.passed
            and before.kind not in ("", *HALLS)
            and not before.along
        )
        is_late = (
            can_be_late
            and not step.needs_name
            and number < len(self._steps) - 1
            and not self._voice.dice.chance(percent)
        )
        if step.kind and not is_late:
            self._is_told[number] = True
            return True
        return False

    def _before(self, number: int) -> str:
        return self._steps[number - 1].kind if number else ""

    def _room(self, number: int) -> str:
        """Like "the bedroom" or, where it is not the first, "another bedroom" and then "that bedroom"."""
        step = self._steps[number]
        name = self._voice.room(step.kind)
        if not step.is_another:
            return f"the {name}"
        word = "that" if self._is_another_said[number] else "another"
        self._is_another_said[number] = True
        return f"{word} {name}"

    def _crossed(self, number: int) -> str:
        """A room that is walked through: "the room" where its name was just said."""
        room = self._room(number)
        return self._voice.pick("the room", room) if self._is_told[number] else room

    def _opening(self, step: Step) -> str:
        if step.opening == "arch":
            return self._voice.pick("archway", "archway", "arch", "open archway")
        return self._voice.pick("door", "doorway")

    def _floor(self, climb: str) -> str:
        return (
            self._voice.pick("second", "upper")
            if climb == "up"
            else self._voice.pick("first", "ground", "lower")
        )
