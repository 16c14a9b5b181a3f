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
if [ $# -gt 0 ]; then exec python -m pytest "$@"; fi

# The fast tests in two processes. Those of the first one start commands and wait for them.
FIRST="cli docs engines faults report sweep trained"
output="$(mktemp -d)"
trap 'rm -rf "$output"' EXIT
# shellcheck disable=SC2086
python -m pytest -q -p no:cacheprovider $(printf 'tests/%s ' $FIRST) > "$output/first" 2>&1 &
first=$!
# shellcheck disable=SC2046,SC2086
python -m pytest -q -p no:cacheprovider tests $(printf -- '--ignore=tests/%s ' $FIRST) || failed=yes
wait "$first" || failed=yes
cat "$output/first"
[ -z "${failed:-}" ]
