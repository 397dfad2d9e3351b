"""Looks: colours and procedural textures, in whole numbers."""
