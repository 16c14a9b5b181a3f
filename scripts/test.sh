#!/usr/bin/env bash
# Check format, lint, types and import contracts, then run the fast tests. With arguments, run only pytest: scripts/test.sh -m slow
EXTRAS=dev source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
# Some tests compute with two threads. Beside other processes, threads that wait actively take most of a core's time.
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-passive}"
if [ $# -eq 0 ]; then
    ruff format --check .
    ruff check .
    # pyright downloads its program once; without a network the types are not checked.
    if python -m pyright --version >/dev/null 2>&1; then python -m pyright; else echo "pyright is not available: types not checked" >&2; fi
    lint-imports
fi
if [ $# -gt 0 ]; then exec python -m pytest "$@"; fi

# The fast tests in three processes of about equal length.
FOLDERS=("check cli docs engines report" "config faults sweep track trained")
output="$(mktemp -d)"
trap 'rm -rf "$output"' EXIT
processes=()
for folders in "${FOLDERS[@]}"; do
    # shellcheck disable=SC2046,SC2086
    python -m pytest -q -p no:cacheprovider $(printf 'tests/%s ' $folders) > "$output/${#processes[@]}" 2>&1 &
    processes+=($!)
done
# shellcheck disable=SC2046,SC2068
python -m pytest -q -p no:cacheprovider tests $(printf -- '--ignore=tests/%s ' ${FOLDERS[@]}) || failed=yes
for process in "${processes[@]}"; do wait "$process" || failed=yes; done
cat "$output"/*
[ -z "${failed:-}" ]
