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
    timeout -s INT 470 "$@" || failed+=("$name")
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

# Papers at full length, but for the first: 60 of the study's 300 epochs, 21 settings, ten seeds, Fréchet distance on the
# classifier's features. They save themselves when their time is up: the same command goes on from there. What is read
# from files wants MNIST and CIFAR-10 under $GANSWEEP_DATA, as torchvision has them.
stage coopnets python -m gansweep -m experiment=coopnets_table1 device=cuda
if [ -n "${GANSWEEP_DATA:-}" ]; then
    stage protocol python -m gansweep -m experiment=epfl_table1 protocol=original_code epochs=60 name=epfl_60_epochs \
        'seed=range(10)' precision=tf32 trainer.compile=true hydra/launcher=fused device=cuda
    stage cfg python -m gansweep -m experiment=cfg_vs_wgangp seed=0,1,2 device=cuda
    stage mescheder python -m gansweep -m experiment=mescheder_images scale=full device=cuda
    stage autoencoder python -m gansweep -m experiment=forsyth_autoencoder scale=full device=cuda
fi

[ ${#failed[@]} -eq 0 ] || { echo "failed or too slow: ${failed[*]}" >&2; exit 1; }
