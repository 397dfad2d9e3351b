"""What people want, and which objects answer it: the wishes of instructions in NavRAG's manner."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class Demand:
    """A wish."""

    wish: str
    """"wash my hands", to follow "I'd like to"."""
    answers: frozenset[str]
    """Categories of which any object answers it best."""
    also: frozenset[str]
    """Categories that a helpful person could offer as well."""
    reason: str = ""
    """What may be said before: "I have been gardening"."""
    needs: frozenset[str] = frozenset()
    """Categories that it takes for granted: one of them has to be close to what answers it."""


def _demands(*lines: str) -> tuple[Demand, ...]:
    """From "wish | answers, ...; also, ... | reason" or "wish | answers | reason | needs, ..."."""
    found = []
    for line in lines:
        wish, answers, reason, *needs = (part.strip() for part in line.split("|"))
        best, _, also = answers.partition(";")
        found.append(Demand(wish, _names(best), _names(also), reason, _names(",".join(needs))))
    return tuple(found)


def _names(text: str) -> frozenset[str]:
    return frozenset(each.strip() for each in text.split(",") if each.strip())


DEMANDS = _demands(
    "wash my hands | sink, kitchen sink | I have been working in the garden",
    "brush my teeth | sink | it is getting late",
    "rinse some vegetables | kitchen sink | I am about to make a salad",
    "wash the dishes by hand | kitchen sink | we have just finished dinner",
    "use the toilet | toilet | I can't wait much longer",
    "take a long bath | bathtub | I have had a hard day",
    "take a quick shower | shower; bathtub | I am sweaty from my run",
    "rinse the sand off my feet | shower, bathtub | I was at the beach",
    "hang up a wet towel | towel rack; radiator | I have just dried my hair",
    "check how my hair looks | mirror; dressing table | I am meeting friends soon",
    "put on some makeup | dressing table; mirror, sink | there is a party tonight",
    "lie down for a nap | bed, sofa; bunk bed, bean bag | I did not sleep well",
    "go to sleep for the night | bed, bunk bed; sofa | I am very tired",
    "put the baby to sleep | crib | the little one is yawning",
    "let two children sleep one above the other | bunk bed | my nephews are staying over",
    "put down my phone within reach of the bed | nightstand; side table | it is time to sleep | "
    "bed, bunk bed",
    "hang up my dresses | wardrobe; coat rack | the ironing is done",
    "put away folded shirts | dresser, wardrobe; chest, cabinet | the laundry is done",
    "stretch out on something soft with two friends | sofa | two friends have come to chat",
    "sit alone in a soft chair with armrests | armchair; rocking chair, sofa, office chair | my back hurts",
    "rock gently back and forth while I rest | rocking chair | I want to calm down",
    "put my feet up on something soft | ottoman; bean bag, sofa | my legs are tired",
    "sink into something squashy on the floor | bean bag | I want to play a video game",
    "put down my cup of tea while I sit on the sofa | coffee table; side table | my hands are full | sofa",
    "watch the news | television; laptop, monitor, radio | something important has happened",
    "watch a film on a big screen | television; monitor | it is movie night",
    "put the game console below the screen | tv stand | my new game console has arrived | television",
    "warm myself by an open fire | fireplace | it is freezing outside",
    "warm my hands on the heating | radiator | it is cold in here",
    "play a tune on the keys | piano | I have practised a new song",
    "play a few chords on the strings | guitar | I feel like singing",
    "hear some music | speaker, radio; piano, guitar, television, drum set, laptop | the house is too quiet",
    "pick a novel to read | bookshelf, book; shelf | it is a rainy afternoon",
    "have dinner with the whole family at one table | dining table | the food is ready",
    "sit down to eat a meal | dining table; chair, bar stool, bench, kitchen island, stool | I am hungry",
    "put a small box on a shelf | shelf; bookshelf | the floor should be free",
    "sit up high at the counter | bar stool; stool | I want to talk to the cook | "
    "kitchen island, kitchen counter",
    "stand on something to reach the ceiling | stool, step ladder; chair, bar stool, bench | I am too small",
    "sit down for a moment | stool, chair, bench, sofa, armchair; ottoman, office chair, rocking chair, "
    "bar stool, bean bag, bed | my legs are tired",
    "feed the toddler in a safe seat | high chair | lunch is ready",
    "get a cold drink | fridge, water dispenser | it is a hot day",
    "keep the milk cold | fridge | I am back from the shops",
    "fry an egg | stove; pan | I have not had breakfast",
    "boil some soup | stove; pot, microwave | I caught a cold",
    "clear the smoke while I cook | range hood | the pan is smoking",
    "have the dirty plates washed by a machine | dishwasher | I hate doing the dishes",
    "wash my dirty clothes | washing machine | I have run out of socks",
    "dry my wet laundry quickly | dryer | it is raining outside",
    "put my dirty clothes in a basket | laundry basket; basket | I have just changed",
    "iron a shirt | ironing board | I have an interview tomorrow",
    "chop some onions | kitchen counter, kitchen island; dining table | I am making soup",
    "cook with room on all sides of the worktop | kitchen island | there are three of us cooking",
    "fetch a clean glass from above the worktop | kitchen cabinet | I am thirsty | "
    "kitchen counter, kitchen sink",
    "heat up my leftovers | microwave; stove | I have only ten minutes",
    "make some toast | toaster | I want a quick breakfast",
    "boil water for tea | kettle; stove, pot, microwave | guests are coming",
    "make a cup of coffee | coffee maker | I need to wake up",
    "eat an apple | fruit bowl; fridge, bowl | I want a healthy snack",
    "work on my papers sitting upright | desk; dining table, dressing table | I have a deadline",
    "write a letter at a proper place | desk; dressing table, dining table | I need a quiet spot",
    "sit in a chair that rolls and turns | office chair | I will be typing for hours",
    "file the tax papers | filing cabinet | the folders are piling up",
    "read my email | laptop, monitor | I am waiting for an answer",
    "print a ticket | printer | my train leaves soon",
    "call my mother | telephone | I have not spoken to her in weeks",
    "throw away this wrapper | trash can | I have just eaten a snack",
    "water something green | plant, flower pot; vase | the leaves look dry",
    "read in the light of a tall lamp | floor lamp | my eyes are tired",
    "switch on a little light | table lamp; floor lamp, candle | it is getting dark",
    "put fresh flowers in water | vase; flower pot, bottle | I have bought tulips",
    "look at some art on the wall | picture; poster | I love paintings",
    "check the time | wall clock, alarm clock, grandfather clock | I must not be late",
    "hear the big clock strike | grandfather clock | it is almost noon",
    "hang up my coat | coat rack; wardrobe | I have just come in",
    "put my boots away | shoe rack; wardrobe, bench | my boots are muddy",
    "put my wet umbrella away | umbrella stand | it was pouring outside",
    "choose a bottle for dinner | wine rack; bottle | we are celebrating",
    "put something away out of sight | cabinet; sideboard, wardrobe, kitchen cabinet, display cabinet, "
    "filing cabinet, dresser, tv stand, nightstand | the room looks untidy",
    "keep the good china behind glass | display cabinet | my aunt has given me her porcelain",
    "put away the tablecloths | sideboard; cabinet, dresser, chest | the table has been cleared",
    "put the old blankets away under a lid | chest; laundry basket, cardboard box | the winter is over",
    "put my keys down on something narrow by the wall | console table; shelf, sideboard, "
    "side table | I keep losing things",
    "run a few miles indoors | treadmill | the weather is awful",
    "pedal for half an hour | exercise bike | I want to get fit",
    "play a round of billiards | pool table | my brother is visiting",
    "paint a picture | easel | I feel creative",
    "find Japan | globe | I am planning a trip",
    "pack for my trip | suitcase | my flight is tomorrow",
    "see some fish swim | fish tank | I find it relaxing",
    "cool down in a breeze | fan | it is far too warm",
    "pour myself a glass of water without opening the fridge | water dispenser; kitchen sink, "
    "sink, bottle | I am thirsty",
    "walk barefoot on something soft | rug | the floor is cold",
    "light something that smells nice | candle | I want a cosy evening",
    "cuddle something soft | teddy bear | my daughter is crying",
    "kick something round | ball | the kids are bored",
    "look at a sculpture | statue | I am fond of art",
    "look at a poster | poster; picture | I want to see what my nephew likes",
    "lift some weights lying on my back | weight bench | I want strong arms",
    "lift some small weights | dumbbells; weight bench | I want strong arms",
    "hit something hard without breaking it | punching bag | I am so angry",
    "practise a drum solo | drum set | my band plays on Saturday",
    "let my son race a toy car | toy car | my son is bored",
    "throw a few darts | dartboard | I feel like playing",
    "climb up a few rungs to change a bulb | step ladder | the lamp is out",
    "suck up some crumbs | vacuum cleaner | I spilled my biscuits",
    "find a box to pack my books | cardboard box; chest, suitcase | we are moving house",
    "type a few lines | keyboard, laptop; monitor | I have an idea",
    "look at a photo of the family | photo frame; picture | I miss my sister",
    "put the yarn in a basket | basket; laundry basket | I have finished knitting",
    "put some soap on my hands | soap dispenser | my hands are greasy",
    "blow my nose | tissue box | I caught a cold",
    "serve the salad in a bowl | bowl; fruit bowl | dinner is almost ready",
    "put a slice of cake on a plate | plate; tray, bowl | it is my birthday",
    "drink from a cup | cup; bottle | my throat is dry",
    "take a sip from a bottle | bottle; cup | my throat is dry",
    "cook some noodles in a pot | pot; stove, pan, kettle | the children are hungry",
    "fry some mushrooms in a pan | pan; stove, pot | I picked mushrooms today",
    "carry some drinks on a tray | tray; plate | the guests are in the garden",
    "close off the sunlight | curtain | the sun is blinding me",
)
"""The wishes, by what they are about. Each names every category that a helpful person could offer."""


def demands_for(category: str, around: Collection[str]) -> tuple[Demand, ...]:
    """The wishes that an object of a category answers best where those of some categories are close to it."""
    return tuple(
        demand
        for demand in DEMANDS
        if category in demand.answers and (not demand.needs or demand.needs & set(around))
    )
