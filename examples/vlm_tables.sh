#!/usr/bin/env bash
# Every row of the README's tables about the 3D-VLM, in a checkout, on 2 CPU cores without a GPU: about 10 hours.
# What is there is not made again, and what was cut off goes on. Rows of benchmarks.imitation can be made side by
# side, in several processes (--rows full, then --rows 2d-history ...); the call here makes the table of all.
set -euo pipefail
runs=runs/imitation

python -m benchmarks.imitation

# The shipped agent (see dynam3d_tiny.sh), and what becomes of it when it goes on learning without instructions.
vlnenv train vlm --start agents/weights/dynam3d-tiny --blind instruction --out "$runs/dynam3d-tiny-blind" \
    --decisions "$runs/walks-panorama" "$runs/walks-panorama-100-full-0" \
    --updates 3000 --learning-rate 2.5e-3 --eval-every 3000 --eval-episodes 1
python -m benchmarks.agents --agents random forward "$runs/dynam3d-tiny-blind/best" dynam3d-tiny \
    --baselines forward "$runs/dynam3d-tiny-blind/best" --save-as vlm_houses

# What limits it; what a decision costs; what it saves not to say why.
python -m benchmarks.limits --episodes 100
python -m benchmarks.latency --agents dynam3d-tiny "$runs/egocentric-0/best" "$runs/2d-history-0/best" \
    "$runs/cma-0/policy.safetensors" "$runs/seq2seq-0/policy.safetensors"
python -m benchmarks.truncation --agent dynam3d-tiny
