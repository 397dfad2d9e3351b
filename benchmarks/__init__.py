"""Scripts behind the published figures; raw results lie in `results/`."""
