"""Recordings: what agents did, compact, so that every observation can be made again from them.

    recordings = record(ExpertAgent(), env, ids)      # env: a VLNVectorEnv
    recordings.save("demos.npz")
    for recording, observations in replay(Recordings.load("demos.npz"), observation="tokens"):
        ...

A recorded episode takes about a kilobyte: its id, actions, poses, rewards and the seed of its sensor noise.
"""

from vlnenv.recordings.minari import export_minari
from vlnenv.recordings.recorder import RecordEpisodes, record
from vlnenv.recordings.recording import Recording, Recordings
from vlnenv.recordings.replay import ReplayError, replay

__all__ = [
    "RecordEpisodes",
    "Recording",
    "Recordings",
    "ReplayError",
    "export_minari",
    "record",
    "replay",
]
