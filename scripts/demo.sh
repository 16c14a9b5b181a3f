#!/usr/bin/env bash
# The main job on the embedded handwritten digits: four trainings, one table. No GPU, no download of data.
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
exec python -m gansweep -m optimizer=adam,sgd lr=1e-4,1e-3 "$@"
