#!/usr/bin/env bash
# Check format, lint, types and import contracts, then run the fast tests. With arguments, run only pytest: scripts/test.sh -m slow
EXTRAS=dev source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
if [ $# -eq 0 ]; then
    ruff format --check .
    ruff check .
    # pyright downloads its program once; without a network the types are not checked.
    if python -m pyright --version >/dev/null 2>&1; then python -m pyright; else echo "pyright is not available: types not checked" >&2; fi
    lint-imports
fi
exec python -m pytest "$@"
