#!/usr/bin/env bash
# The fast tests. Arguments go to pytest: scripts/test.sh -m slow
EXTRAS=dev source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
exec python -m pytest "$@"
