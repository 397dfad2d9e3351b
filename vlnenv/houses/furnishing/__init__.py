"""Furnishing: what stands where in the rooms of a plan, and the critics that judge it."""
