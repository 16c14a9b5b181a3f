#!/usr/bin/env bash
# Demo: four runs on the embedded handwritten digits, one table. Needs neither a GPU nor a download.
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
exec python -m gansweep -m optimizer=adam,sgd lr=1e-4,1e-3 "$@"
