#!/usr/bin/env bash
# How the shipped agent dynam3d-tiny was made, from nothing: 2 CPU cores, no GPU.
# Walks and trainings that are there are not made again; one that was cut off goes on.
set -euo pipefail
runs=${1:-runs/dynam3d-tiny}

# walk NAME FIRST_SCENE SCENES ...: notes decisions in so many houses of train_large
walk() {
    vlnenv train decisions --out "$runs/walks/$1" --split train_large --first-scene "$2" --scenes "$3" \
        --perception.levels mean "${@:4}"
}

# learn NAME START UPDATES RATE "WALKS" ...: trains on from START, or from scratch
learn() {
    local start=() walks=()
    [ "$2" = scratch ] || start=(--start "$runs/$2/best")
    for name in $5; do walks+=("$runs/walks/$name"); done
    vlnenv train vlm --out "$runs/$1" "${start[@]}" --decisions "${walks[@]}" --updates "$3" --learning-rate "$4" \
        "${@:6}"
}

# The expert's own walks. The first three are carried out exactly, and its last actions are always read: who
# learns from them alone is lost in the closed loop.
vlnenv train decisions --out "$runs/walks/train" --split train --perception.levels mean --jitter 0
walk x0 0 100 --wrong-turn 0.25 --jitter 0 --seed 1
walk x1 100 60 --wrong-turn 0.25 --jitter 0 --seed 2
learn m0 scratch 1200 3e-3 "train x0" --history-dropout 0 --eval-every 1200 --eval-episodes 48
learn m1 m0 1800 3e-3 "train x0 x1" --history-dropout 0 --eval-every 1800 --eval-episodes 48

# DAgger: the learner walks through other houses, the expert says what it would have done.
walk d1 160 60 --learner "$runs/m0/best" --expert 0.4 --wrong-turn 0.05 --jitter 0 --paraphrase 1 --seed 11
learn m2 m1 2000 3e-3 "train x0 x1 d1" --history-dropout 0 --eval-every 2000 --eval-episodes 48
walk d2 220 60 --learner "$runs/m1/best" --expert 0.4 --wrong-turn 0.05 --jitter 0 --paraphrase 1 --seed 12
walk j1 280 100 --wrong-turn 0.1 --jitter 0.6 --seed 21
learn m3 m2 2400 3e-3 "j1 j1 d1 d2 x0 x1" --eval-every 1200 --eval-episodes 64
walk d3 380 60 --learner "$runs/m2/best" --expert 0.4 --wrong-turn 0.05 --jitter 0.6 --paraphrase 2 --seed 13
learn m4 m3 3000 3e-3 "j1 d1 d2 d3 x0 x1" --eval-every 3000 --eval-episodes 64
learn m5 m4 2400 2.5e-3 "j1 d1 d2 d3 x0 x1" --eval-every 2400 --eval-episodes 96
walk d4 440 60 --learner "$runs/m4/best" --expert 0.3 --wrong-turn 0.05 --jitter 0.6 --paraphrase 1 --seed 14
learn m6 m5 4000 2.5e-3 "j1 d1 d2 d3 d4 x1" --eval-every 800 --eval-episodes 32

# d5 was walked by m6 as it was after 1,600 updates.
walk d5 500 60 --learner "$runs/m6/best" --expert 0.25 --wrong-turn 0.2 --jitter 0.5 --paraphrase 1 --seed 15
learn m7 m6 4800 2.5e-3 "j1 x1 d1 d2 d3 d4 d5 d5" --eval-every 1200 --eval-episodes 48

# In a checkout, into the package, with its figures on val_unseen:
#     python -m benchmarks.ship --name dynam3d-tiny --run "$runs/m7" --trained-by examples/dynam3d_tiny.sh
