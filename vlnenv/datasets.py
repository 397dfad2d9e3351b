"""The data sets of the field: where their files lie below the data folder, who gives them out, on what terms.

One table for the loader (`vlnenv.data`) and for `vlnenv data check`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_MP3D_TERMS = "Matterport3D Terms of Use (non-commercial research), CC BY-NC-SA 3.0 US"
_MP3D_FORM = "sign the terms of use on https://niessner.github.io/Matterport/ and send them as it says"
_DYNAM3D = "https://huggingface.co/datasets/MrZihanWang/Dynam3D"


@dataclass(frozen=True)
class Layout:
    """One way in which a split lies below the data folder; "{split}" stands for the split's name."""

    episodes: str
    """An episode file, or a folder of one list of episodes a scene."""
    gt: str | None = None
    """The ground-truth rollouts; None for the `_gt` file beside the episodes, if there is one."""
    name: str = "{split}"
    """What the split is called: RxR's followers are "{split}_follower"."""

    def path(self, folder: Path, split: str) -> Path | None:
        """Where a split would lie; None where this layout has no split of that name."""
        named = _pattern(self.name).fullmatch(split)
        return None if named is None else folder / self._fill(self.episodes, named)

    def gt_path(self, folder: Path, split: str) -> Path | None:
        """Where the layout puts the split's ground truth, if that is there."""
        named = _pattern(self.name).fullmatch(split)
        if self.gt is None or named is None:
            return None
        path = folder / self._fill(self.gt, named)
        return path if path.is_file() else None

    def splits(self, folder: Path) -> Iterator[str]:
        """Names of the splits that lie below a folder."""
        if "{split}" not in self.episodes:
            if (folder / self.episodes).exists():
                yield self.name
            return
        pattern = _pattern(self.episodes)
        for path in sorted(folder.glob(self.episodes.replace("{split}", "*"))):
            found = pattern.fullmatch(path.relative_to(folder).as_posix())
            if found is not None:
                yield self.name.replace("{split}", found["split"])

    @staticmethod
    def _fill(template: str, named: re.Match[str]) -> str:
        return template.replace("{split}", named.groupdict().get("split", ""))


def _pattern(template: str) -> re.Pattern[str]:
    first, *others = re.escape(template).split(re.escape("{split}"))
    text = first
    for index, part in enumerate(others):
        text += ("(?P<split>[^/]+)" if index == 0 else "(?P=split)") + part
    return re.compile(text)


@dataclass(frozen=True)
class EpisodeSource:
    """A data set of episodes."""

    title: str
    layouts: tuple[Layout, ...]
    """The first that holds a split wins."""
    splits: tuple[str, ...]
    """The splits that its authors give out."""
    licence: str
    ask: str
    """Where it is to be had."""


@dataclass(frozen=True)
class SceneSource:
    """A collection of scanned scenes."""

    title: str
    patterns: tuple[str, ...]
    """Globs of its scene files below `SCENE_FOLDERS`; a scene id is the path that matches."""
    count: int
    """How many scenes the whole collection has."""
    licence: str
    ask: str


@dataclass(frozen=True)
class DiscreteSource:
    """A data set on Matterport3D's viewpoint graph, which `vlnenv data convert` makes continuous."""

    title: str
    patterns: tuple[str, ...]
    """Globs of its files below the data folder."""
    licence: str
    ask: str


SCENE_FOLDERS = ("scene_datasets", "scenes", "")
"""Folders below the data folder that a scene id is looked up in."""


def _in(folders: tuple[str, ...], *layouts: Layout) -> tuple[Layout, ...]:
    """The layouts below each of the folders, and each with and without compression."""
    return tuple(
        Layout(f"{folder}/{layout.episodes}{suffix}", None, layout.name)
        for folder in folders
        for layout in layouts
        for suffix in (".json.gz", ".json")
    )


def _dynam3d(name: str, folder: str) -> tuple[Layout, ...]:
    """The layouts of a set that Dynam3D's converter wrote, and of one that `vlnenv data convert` did."""
    own = _in((f"datasets/{folder}", folder), Layout("{split}/{split}"))
    roots = ("datasets/", "data/datasets/", "")
    flat = (Layout(f"{root}{name}_{{split}}_data.json", f"{root}{name}_{{split}}_gt.json") for root in roots)
    lists = (Layout(f"{root}{name}_training_data", f"{root}{name}_train_gt.json", "train") for root in roots)
    return (*own, *flat, *lists)


_R2R_CE_FOLDERS = (
    "datasets/R2R_VLNCE_v1-3_preprocessed",
    "datasets/R2R_VLNCE_v1-3",
    "R2R_VLNCE_v1-3_preprocessed",
    "R2R_VLNCE_v1-3",
    "r2r_ce/R2R_VLNCE_v1-3_preprocessed",
    "r2r_ce/R2R_VLNCE_v1-3",
)
_RXR_CE_FOLDERS = ("datasets/RxR_VLNCE_v0", "RxR_VLNCE_v0", "rxr_ce/RxR_VLNCE_v0")

EPISODES: dict[str, EpisodeSource] = {
    "r2r_ce": EpisodeSource(
        title="R2R-CE (R2R_VLNCE v1-3, with EnvDrop)",
        layouts=_in(_R2R_CE_FOLDERS, Layout("{split}/{split}")),
        splits=("train", "val_seen", "val_unseen", "test", "envdrop", "joint_train_envdrop"),
        licence=_MP3D_TERMS,
        ask="https://github.com/jacobkrantz/VLN-CE#episodes-room-to-room-r2r",
    ),
    "rxr_ce": EpisodeSource(
        title="RxR-CE (RxR_VLNCE v0)",
        layouts=_in(
            _RXR_CE_FOLDERS,
            Layout("{split}/{split}_follower", name="{split}_follower"),
            Layout("{split}/{split}_guide"),
        ),
        splits=(
            *("train", "val_seen", "val_unseen", "test_challenge"),
            *("train_follower", "val_seen_follower", "val_unseen_follower"),
        ),
        licence=f"RxR: CC BY 4.0; as a derivative of the scans: {_MP3D_TERMS}",
        ask="https://storage.googleapis.com/rxr-habitat/RxR_VLNCE_v0.zip",
    ),
    "reverie_ce": EpisodeSource(
        title="REVERIE-CE",
        layouts=_dynam3d("reverie", "REVERIE_CE"),
        splits=("train", "val_seen", "val_unseen", "test"),
        licence=f"none stated; derived from {_MP3D_TERMS}",
        ask=f"{_DYNAM3D}, or `vlnenv data convert --from reverie`, which keeps the target objects",
    ),
    "navrag_ce": EpisodeSource(
        title="NavRAG-CE",
        layouts=_dynam3d("navrag", "NavRAG_CE"),
        splits=("train", "val_unseen"),
        licence=f"none stated; derived from HM3D's terms and {_MP3D_TERMS}",
        ask=_DYNAM3D,
    ),
    "scalevln_ce": EpisodeSource(
        title="ScaleVLN-CE",
        layouts=_dynam3d("r2r_scalevln", "ScaleVLN_CE"),
        splits=("train",),
        licence=f"none stated; derived from HM3D's terms and {_MP3D_TERMS}",
        ask=_DYNAM3D,
    ),
}
"""Data sets of episodes by the name that `dataset=` takes."""

SCENES: dict[str, SceneSource] = {
    "mp3d": SceneSource(
        title="Matterport3D",
        patterns=("mp3d/*/*.glb",),
        count=90,
        licence=_MP3D_TERMS,
        ask=f"{_MP3D_FORM}; then `download_mp.py --task habitat -o scene_datasets/mp3d`",
    ),
    "hm3d": SceneSource(
        title="HM3D",
        patterns=("hm3d/*/*/*.basis.glb", "hm3d/*/*/*.glb"),
        count=900,
        licence="Matterport's end user licence for HM3D (non-commercial academic use)",
        ask="https://matterport.com/habitat-matterport-3d-research-dataset",
    ),
    "gibson": SceneSource(
        title="Gibson",
        patterns=("gibson/*.glb", "gibson/*/*.glb", "gibson/*/mesh_z_up.obj"),
        count=572,
        licence="Gibson's licence agreement (non-commercial research)",
        ask="https://github.com/StanfordVL/GibsonEnv/blob/master/gibson/data/README.md",
    ),
    "replica": SceneSource(
        title="Replica",
        patterns=("replica/*/mesh.ply", "replica/*/habitat/mesh_semantic.ply"),
        count=18,
        licence="Replica research terms (non-commercial)",
        ask="https://github.com/facebookresearch/Replica-Dataset",
    ),
}
"""Collections of scanned scenes by the first part of their scene ids."""

DISCRETE: dict[str, DiscreteSource] = {
    "r2r": DiscreteSource(
        title="R2R (discrete)",
        patterns=("r2r/R2R_*.json", "R2R_*.json", "datasets/R2R/R2R_*.json"),
        licence=_MP3D_TERMS,
        ask="https://github.com/peteanderson80/Matterport3DSimulator/tree/master/tasks/R2R/data",
    ),
    "reverie": DiscreteSource(
        title="REVERIE (discrete)",
        patterns=("reverie/*REVERIE*.json", "*REVERIE*.json", "datasets/REVERIE/*REVERIE*.json"),
        licence="none stated",
        ask="https://github.com/YuankaiQi/REVERIE",
    ),
    "connectivity": DiscreteSource(
        title="Matterport3D viewpoint graphs",
        patterns=("*connectivity*/*_connectivity.json", "*_connectivity.json"),
        licence="MIT",
        ask="https://github.com/peteanderson80/Matterport3DSimulator/tree/master/connectivity",
    ),
}
"""What `vlnenv data convert` reads."""
