"""Simulators: poses go in, frames come out. `simulator.Simulator` is the protocol, `embree` the default."""
