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

# The study itself, shortened to 60 of its 300 epochs: 21 settings, ten seeds, FID on the classifier's features.
# It needs MNIST under $GANSWEEP_DATA, and saves itself when its time is up: the same command goes on from there.
if [ -n "${GANSWEEP_DATA:-}" ]; then
    stage protocol python -m gansweep -m name=epfl_60_epochs data=mnist metric=mnist loss=wgan_gp batch_size=128 epochs=60 \
        optimizer=adam,sgd,rmsprop lr=1e-1,1e-2,1e-3,1e-4,1e-5,1e-6,1e-7 'seed=range(10)' model.dropout=0.3 \
        trainer.eval_every=4690 trainer.sample_every=28140 precision=tf32 trainer.compile=true hydra/launcher=fused
fi

[ ${#failed[@]} -eq 0 ] || { echo "failed or too slow: ${failed[*]}" >&2; exit 1; }
