"""Floor plans: rooms, walls, doors, windows and stairs, in whole centimetres."""
