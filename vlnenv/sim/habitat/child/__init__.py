"""What runs beside habitat-sim, in its Python (3.8 or newer): needs habitat-sim, numpy, the standard library.

Nothing here may import vlnenv: `python vlnenv/sim/habitat/child` runs this folder as a script where vlnenv is
not installed.
"""
