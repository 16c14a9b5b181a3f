#!/usr/bin/env bash
# Run everything that needs a GPU: the CUDA tests, then the benchmarks, whose records are written to
# docs/records/*_cuda.md. Each stage is limited to eight minutes. A stage that fails or takes longer does not stop the
# others. Needs torch 2.11 or newer with CUDA.
#
#   bash scripts/bench/gpu.sh              all stages
#   bash scripts/bench/gpu.sh tests epfl   only these
EXTRAS=test source "$(dirname "${BASH_SOURCE[0]}")/../environment.sh"
python -c 'import sys, torch; sys.exit(None if torch.cuda.is_available() else "torch finds no CUDA device here")'

failed=()
stage() {
    local name=$1
    shift
    [ ${#wanted[@]} -eq 0 ] || [[ " ${wanted[*]} " == *" $name "* ]] || return 0
    echo "== $name: $*"
    timeout -s INT 470 "$@" || failed+=("$name")
}
wanted=("$@")

stage tests python -m pytest -m gpu -q
stage memory python scripts/bench/memory.py --device cuda --megabytes 4000 --write
stage dcgan python scripts/bench/fused.py --device cuda --grid dcgan --rounds 1 --name fused_cuda_dcgan --write
# The 210 cells of the plain loop cost the same, so a sample of them is timed.
stage epfl python scripts/bench/fused.py --device cuda --grid epfl --rounds 1 --sample 6 --name fused_cuda_epfl --write
stage tf32 python scripts/bench/fused.py --device cuda --grid epfl --rounds 1 --sample 3 \
    --extra precision=tf32 --name fused_cuda_epfl_tf32 --write
stage compiled python scripts/bench/fused.py --device cuda --grid epfl --rounds 1 --sample 3 \
    --extra trainer.compile=true precision=tf32 --name fused_cuda_epfl_compiled --write

# Experiments of papers at full length, except `protocol`: 60 of the study's 300 epochs, 21 configurations, ten seeds,
# Fréchet distance on the classifier's features. At the time limit they save their state, and the same command continues
# them. Data sets are read from $GANSWEEP_DATA, MNIST and CIFAR-10 in torchvision's layout.
stage coopnets python -m gansweep -m experiment=coopnets_table1 device=cuda
if [ -n "${GANSWEEP_DATA:-}" ]; then
    stage protocol python -m gansweep -m experiment=epfl_table1 protocol=original_code epochs=60 name=epfl_60_epochs \
        'seed=range(10)' precision=tf32 trainer.compile=true hydra/launcher=fused device=cuda
    stage cfg python -m gansweep -m experiment=cfg_vs_wgangp seed=0,1,2 device=cuda
    stage mescheder python -m gansweep -m experiment=mescheder_images scale=full device=cuda
    stage autoencoder python -m gansweep -m experiment=forsyth_autoencoder scale=full device=cuda
fi

[ ${#failed[@]} -eq 0 ] || { echo "failed or too slow: ${failed[*]}" >&2; exit 1; }
