"""Construction: from a house's facts to triangles, light and files."""
