"""Where a body may stand and walk in a scene: a layered height field, its distances and its motion."""
