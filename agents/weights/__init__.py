"""Weights of the shipped policies, and their cards; a package only so that the files are installed."""
