"""The words and phrases that the shipped text table embeds, by subject; read by the table's builder only."""

from __future__ import annotations


def _phrases(text: str) -> tuple[str, ...]:
    """Comma-separated phrases, white space tidied."""
    return tuple(" ".join(phrase.split()) for phrase in text.replace("\n", " ").split(",") if phrase.strip())


COLORS = _phrases("""
    red, green, blue, yellow, orange, purple, pink, brown, black, white, grey, gray, beige, cream,
    turquoise, teal, cyan, violet, maroon, gold, golden, silver, tan, navy, dark, light, glass, olive,
    magenta, colorful, light blue, dark blue, light green, dark green, light grey, dark grey, sky blue
""")
"""Colour words."""

MATERIALS = _phrases("""
    wood, wooden, metal, steel, iron, brass, copper, plastic, stone, marble, granite, brick, concrete,
    tile, tiled, ceramic, porcelain, leather, fabric, cotton, wool, velvet, wicker, rattan, bamboo,
    paper, cardboard, rubber, chrome, plaster, linen, striped, patterned, round, square, rectangular,
    oval, tall, short, small, large, big, little, long, wide, narrow, modern, antique, old, new, empty,
    open, closed
""")
"""What things are made of and look like."""

ROOMS = _phrases("""
    room, bedroom, master bedroom, guest bedroom, children's room, nursery, living room, family room,
    lounge, sitting room, den, kitchen, kitchenette, pantry, dining room, breakfast nook, bathroom,
    powder room, restroom, toilet room, shower room, laundry room, utility room, study, study room,
    office, home office, library, hall, hallway, corridor, entrance hall, entryway, entrance, foyer,
    lobby, vestibule, landing, stairwell, attic, loft, basement, cellar, garage, storage room,
    storeroom, closet, walk-in closet, dressing room, gym, exercise room, game room, recreation room,
    music room, playroom, media room, theater, home theater, sauna, spa, pool, swimming pool, hot tub,
    bar, wine cellar, conservatory, sunroom, porch, patio, balcony, terrace, deck, veranda, courtyard,
    garden, yard, driveway, meeting room, conference room, classroom, reception, waiting room, church,
    chapel, workshop, flat, apartment, house, home, building, floor plan, sky, upstairs, downstairs,
    outside, inside, indoors, outdoors, mudroom, alcove, corner, area, space, unit
""")
"""Rooms and parts of houses."""

STRUCTURE = _phrases("""
    wall, walls, inner wall, outer wall, brick wall, house wall, room wall, floor, flooring, wooden
    floor, tiled floor, carpet floor, ceiling, roof, door, front door, back door, glass door, sliding
    door, folding door, double doors, french doors, door frame, doorframe, doorway, archway, arch, open
    doorway, opening, passage, threshold, window, room window, windows, large window, window frame,
    window sill, windowsill, bay window, skylight, stairs, staircase, stairway, step, steps, spiral
    staircase, stair rail, handrail, railing, banister, balustrade, column, pillar, post, beam, chimney,
    fireplace, mantel, mantelpiece, baseboard, skirting board, molding, crown molding, trim, panel,
    board panel, partition, room divider, screen, divider, niche, ledge, ramp, elevator, lift, gate,
    fence, vent, air vent, duct, pipe, pipes, grille, light switch, switch, socket, outlet, electrical
    outlet, door handle, handle, doorknob, knob, hinge, lock, key, doorbell, intercom, thermostat, smoke
    detector, fire alarm, fire extinguisher, sprinkler, security camera, other structure, structure,
    ground, lawn, pavement, walkway, sidewalk, ceiling fan, ceiling light, ceiling lamp, pane, curtain
    wall, countertop, worktop, tiles, wallpaper, frame, edge, end, middle, center, top, bottom, landing
    area, facade, exterior, interior, void, misc, unknown, unlabeled, nothing
""")
"""Architecture."""

FURNITURE = _phrases("""
    furniture, other furniture, bed, single bed, double bed, bunk bed, king bed, four poster bed, sofa
    bed, day bed, crib, cot, cradle, headboard, bed frame, mattress, pillow, cushion, sofa cushion,
    blanket, duvet, comforter, quilt, bedspread, bed sheet, sheet, sofa, couch, sectional sofa,
    loveseat, chaise longue, futon, armchair, recliner, rocking chair, easy chair, lounge chair, chair,
    dining chair, kitchen chair, office chair, desk chair, swivel chair, folding chair, high chair,
    wheelchair, stool, bar stool, footstool, footrest, ottoman, pouf, puff, bean bag, bench, piano
    bench, window seat, seat, seating, pew, table, dining table, kitchen table, coffee table, side
    table, end table, bedside table, console table, dressing table, vanity table, balcony table, round
    table, glass table, picnic table, pool table, billiard table, ping pong table, foosball table, game
    table, card table, folding table, massage table, changing table, conference table, workbench,
    cooking bench, desk, reading desk, writing desk, computer desk, work desk, nightstand, night stand,
    bedside cabinet, dresser, chest of drawers, drawers, drawer, tallboy, sideboard, buffet, credenza,
    hutch, china cabinet, display cabinet, display case, cabinet, cabinets, kitchen cabinet, wall
    cabinet, bathroom cabinet, medicine cabinet, filing cabinet, file cabinet, tv cabinet, tv stand,
    media console, entertainment center, cupboard, wardrobe, armoire, locker, safe, chest, trunk,
    bookcase, bookshelf, book shelf, shelf, shelves, shelving, rack, wine rack, coat rack, clothes rack,
    hat rack, shoe rack, shoe cabinet, towel rack, towel bar, dish rack, drying rack, spice rack,
    magazine rack, plate rack, luggage rack, coat stand, hanger, clothes hanger, hook, kitchen island,
    island, kitchen counter, counter, bar counter, breakfast bar, bathroom counter, vanity, reception
    desk, podium, lectern, stand, plant stand, umbrella stand, pedestal, cart, kitchen cart, trolley,
    hammock, swing, tent, canopy, playpen, easel, ladder, step stool, step ladder
""")
"""Furniture."""

FIXTURES = _phrases("""
    toilet, toilet seat, bidet, urinal, sink, kitchen sink, bathroom sink, basin, washbasin, wash basin,
    faucet, tap, bathtub, bath, tub, shower, shower stall, shower cabin, shower door, shower curtain,
    shower curtain rod, shower head, shower tray, bath mat, towel, hand towel, bath towel, paper towel,
    paper towel dispenser, toilet paper, toilet paper holder, toilet brush, plunger, soap, soap dish,
    soap dispenser, shampoo, shampoo bottle, toothbrush, toothpaste, toothbrush holder, hair dryer, hand
    dryer, bathroom scale, scale, sponge, mirror, wall mirror, drain, radiator, heater, space heater,
    electric heater, boiler, water heater, furnace, air conditioner, airconditioner, air purifier,
    humidifier, dehumidifier, fan, range hood, rangehood, cooker hood, hood, exhaust fan, stove, gas
    stove, cooktop, hob, cooker, oven, microwave, microwave oven, toaster, toaster oven, refrigerator,
    fridge, freezer, mini fridge, dishwasher, washing machine, washer, dryer, tumble dryer, clothes
    dryer, ironing board, iron, vacuum cleaner, robot vacuum, sewing machine, water dispenser, water
    cooler, coffee machine, coffee maker, kettle, electric kettle, blender, mixer, food processor, rice
    cooker, slow cooker, juicer, grill, barbecue, appliance, appliances
""")
"""Bathroom and kitchen fixtures, appliances, heating."""

THINGS = _phrases("""
    object, objects, thing, item, items, stuff, other prop, prop, decoration, ornament, box, cube,
    cardboard box, storage box, seasoning box, tissue box, crate, container, storage container, bin,
    trash, trash can, trash bin, garbage can, garbage bin, waste basket, wastebasket, rubbish bin,
    dustbin, recycling bin, basket, laundry basket, laundry hamper, hamper, bucket, bag, handbag,
    backpack, paper bag, plastic bag, shopping bag, suitcase, luggage, briefcase, purse, wallet, tray,
    bowl, fruit bowl, plate, dish, dishes, tableware, cup, mug, glass cup, wine glass, glasses, teapot,
    teacup, pitcher, jug, jar, cookie jar, can, bottle, wine bottle, water bottle, beer bottle, spray
    bottle, pot, cooking pot, pan, frying pan, wok, lid, kitchen utensils, utensils, utensil, knife,
    knife block, fork, spoon, spatula, ladle, whisk, chopsticks, cutting board, chopping board, rolling
    pin, corkscrew, can opener, oven mitt, apron, napkin, placemat, tablecloth, candle, candlestick,
    candelabra, lantern, lamp, table lamp, desk lamp, floor lamp, bedside lamp, wall lamp, sconce,
    chandelier, pendant lamp, light, lights, lighting, light fixture, light bulb, spotlight, lampshade,
    picture, pictures, painting, paintings, picture frame, photo, photograph, photo frame, poster,
    portrait, desk portrait, drawing, artwork, art, wall art, tapestry, wall hanging, map, calendar,
    sign, exit sign, board, bulletin board, notice board, whiteboard, blackboard, chalkboard, clock,
    wall clock, alarm clock, grandfather clock, watch, vase, flower vase, flower, flowers, flower pot,
    flowerpot, plant, plants, potted plant, house plant, indoor plant, tree, christmas tree, palm tree,
    bush, bonsai, cactus, planter, wreath, sculpture, statue, figurine, bust, globe, trophy, urn,
    fountain, aquarium, fish tank, birdcage, doll, doll house, toy, toys, teddy bear, stuffed animal,
    toy car, ball, football, soccer ball, basketball, tennis racket, baseball bat, golf bag, skateboard,
    surfboard, ski, bicycle, bike, motorcycle, car, stroller, scooter, balloon, kite, board game,
    chessboard, puzzle, dice, playing cards, dartboard, punching bag, dumbbell, dumbbells, barbell,
    weights, weight bench, treadmill, exercise bike, exercise machine, exercise ball, elliptical, gym
    equipment, fitness equipment, yoga mat, equipment, machine, rug, carpet, area rug, mat, floor mat,
    doormat, door mat, curtain, curtains, drapes, blind, blinds, window blinds, window shade, shade,
    curtain rod, shutters, television, tv, tv monitor, tv screen, flat screen tv, monitor, computer
    monitor, computer, desktop computer, computer tower, laptop, tablet, keyboard, computer keyboard,
    mouse, computer mouse, mouse pad, printer, scanner, copier, photocopier, fax machine, projector,
    projector screen, router, server, hard drive, speaker, loudspeaker, subwoofer, sound system, stereo,
    radio, record player, turntable, headphones, microphone, camera, tripod, remote control, remote,
    game console, game controller, telephone, phone, cellphone, mobile phone, charger, power strip,
    power cord, cable, wire, battery, flashlight, calculator, piano, grand piano, keyboard instrument,
    organ, guitar, guitar case, violin, drum, drum set, trumpet, harp, musical instrument, music stand,
    book, books, magazine, newspaper, notebook, binder, folder, file, envelope, letter, postcard, pen,
    pencil, pencil case, pencil cup, marker, crayon, eraser, ruler, scissors, stapler, tape, tape
    dispenser, glue, hole punch, paper clip, paper cutter, shredder, clipboard, mail, mailbox, stack of
    papers, clothes, clothing, shirt, t-shirt, jacket, coat, sweater, dress, skirt, trousers, jeans,
    shorts, socks, shoe, shoes, boots, sandals, slippers, hat, cap, helmet, scarf, gloves, belt, tie,
    umbrella, sunglasses, necklace, jewelry, jewelry box, perfume, cosmetics, makeup, lotion, brush,
    hairbrush, comb, razor, medicine, first aid kit, broom, mop, dustpan, duster, rag, cloth, cleaning
    supplies, detergent, clothespin, clothes line, laundry, tool, tools, toolbox, hammer, screwdriver,
    wrench, pliers, drill, saw, nail, screw, rope, chain, hose, paint can, shovel, rake, watering can,
    wheelbarrow, food, bread, cake, pizza, sandwich, egg, cheese, meat, fruit, apple, banana, orange
    fruit, lemon, grapes, pineapple, watermelon, vegetable, carrot, tomato, potato, onion, cereal,
    cookie, snack, candy, coffee, tea, milk, juice, water, wine, beer, spice, salt, pepper shaker,
    sugar, oil, person, man, woman, child, baby, people, cat, dog, bird, fish, pet bed, cat tree, litter
    box, firewood, fire, fireplace tools, ashtray, lighter, matches, incense, cross, bible, flag,
    banner, ribbon, gift, gift box, coin, piggy bank, money, ticket, mannequin, pallet, barrel,
    cylinder, sphere, cone, block, bars, bar
""")
"""Household things."""

DIRECTIONS = _phrases("""
    go, walk, move, turn, head, continue, proceed, enter, exit, leave, pass, cross, follow, climb,
    descend, stop, wait, stand, face, keep, take, make, reach, start, begin, step, stay, get, come,
    find, look, veer, bear, swing, rotate, spin, forward, straight, ahead, back, backward, backwards,
    left, right, slightly, sharply, hard, around, through, past, by, beside, next, near, nearest, close,
    behind, front, in front of, between, across, opposite, along, toward, towards, into, onto, out, out
    of, up, down, over, under, above, below, from, at, on, off, until, before, after, then, when, once,
    again, first, second, third, last, other, another, both, the, a, an, and, or, with, without, you,
    your, is, are, it, that, this, there, where, one, two, three, four, five, way, path, route, side,
    left side, right side, turn left, turn right, turn around, go straight, walk forward, go forward,
    walk past, walk through, go through, go up, go down, up the stairs, down the stairs, on your left,
    on your right, on the left, on the right, at the end, stop next to, stop in front of, stop at, wait
    there, none
""")
"""Words of route instructions."""

PHRASES: tuple[str, ...] = tuple(
    dict.fromkeys(
        phrase
        for group in (COLORS, MATERIALS, ROOMS, STRUCTURE, FURNITURE, FIXTURES, THINGS, DIRECTIONS)
        for phrase in group
    )
)
"""All of them, each once, in a fixed order."""
