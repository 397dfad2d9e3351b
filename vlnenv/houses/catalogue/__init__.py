"""The furniture catalogue: every class draws from a few families of solids, by dice alone."""

from __future__ import annotations

from vlnenv.houses.catalogue.bathroom import BATHROOM
from vlnenv.houses.catalogue.beds import BEDS
from vlnenv.houses.catalogue.chairs import CHAIRS
from vlnenv.houses.catalogue.decor import DECOR
from vlnenv.houses.catalogue.kitchen import KITCHEN
from vlnenv.houses.catalogue.leisure import LEISURE
from vlnenv.houses.catalogue.seats import SEATS
from vlnenv.houses.catalogue.shape import FurnitureClass, Shape, Top, compose
from vlnenv.houses.catalogue.shelves import SHELVES
from vlnenv.houses.catalogue.small import SMALL
from vlnenv.houses.catalogue.storage import STORAGE
from vlnenv.houses.catalogue.tables import TABLES
from vlnenv.houses.construction.solids import Surface

_MODULES: tuple[tuple[FurnitureClass, ...], ...] = (
    SEATS,
    CHAIRS,
    TABLES,
    STORAGE,
    SHELVES,
    BEDS,
    BATHROOM,
    DECOR,
    KITCHEN,
    LEISURE,
    SMALL,
)

CATALOGUE: dict[str, FurnitureClass] = {entry.name: entry for module in _MODULES for entry in module}
"""Class name to how it is drawn."""

__all__ = ["CATALOGUE", "FurnitureClass", "Shape", "Surface", "Top", "compose"]
