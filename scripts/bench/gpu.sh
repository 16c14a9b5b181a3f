#!/usr/bin/env bash
# Everything that needs a GPU, in one command: the CUDA tests, then the benches, whose records go
# to docs/records/*_cuda.md. Every stage has less than eight minutes; one that fails or takes
# longer does not keep the others from running. Needs torch 2.11 or newer with CUDA.
#
#   bash scripts/bench/gpu.sh              all stages
#   bash scripts/bench/gpu.sh tests epfl   these only
EXTRAS=test source "$(dirname "${BASH_SOURCE[0]}")/../environment.sh"
python -c 'import sys, torch; sys.exit(None if torch.cuda.is_available() else "torch finds no CUDA device here")'

failed=()
stage() {
    local name=$1
    shift
    [ ${#wanted[@]} -eq 0 ] || [[ " ${wanted[*]} " == *" $name "* ]] || return 0
    echo "== $name: $*"
    timeout 470 "$@" || failed+=("$name")
}
wanted=("$@")

stage tests python -m pytest -m gpu -q
stage memory python scripts/bench/memory.py --device cuda --megabytes 4000 --write
stage dcgan python scripts/bench/fused.py --device cuda --grid dcgan --rounds 1 --name fused_cuda_dcgan --write
# The textbook's 210 cells are alike, so that some of them stand for all.
stage epfl python scripts/bench/fused.py --device cuda --grid epfl --rounds 1 --sample 6 --name fused_cuda_epfl --write
stage tf32 python scripts/bench/fused.py --device cuda --grid epfl --rounds 1 --sample 3 \
    --extra precision=tf32 --name fused_cuda_epfl_tf32 --write
stage compiled python scripts/bench/fused.py --device cuda --grid epfl --rounds 1 --sample 3 \
    --extra trainer.compile=true precision=tf32 --name fused_cuda_epfl_compiled --write

[ ${#failed[@]} -eq 0 ] || { echo "failed or too slow: ${failed[*]}" >&2; exit 1; }
