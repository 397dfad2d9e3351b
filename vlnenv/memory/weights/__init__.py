"""Weights shipped with the package; each file has a card beside it."""
