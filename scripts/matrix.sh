#!/usr/bin/env bash
# Run the fast tests on several versions of Python, torch and Hydra, one virtual environment per row.
#
#   scripts/matrix.sh                          all rows
#   scripts/matrix.sh py310 py313              only these rows
#   scripts/matrix.sh --list                   print the rows and exit
#   scripts/matrix.sh --install-only           create the environments, run no tests
#   scripts/matrix.sh --write                  write the table of the last result of each row to docs/records/matrix.md
#   scripts/matrix.sh py310 -- tests/cli -x    arguments after -- go to pytest (the result is not stored)
#
# Environments are created under $MATRIX_DIR (default: build/matrix) and reused; delete a folder there to recreate it.
# They are created by uv, so rows share files by hard links to its cache. If uv is not on PATH, it is installed in
# $MATRIX_DIR. Interpreters are searched as pythonX.Y on PATH, then in pyenv.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# name, Python, requirements. Every version occurs in some row; not all combinations are tested.
ROWS="
py310         3.10 torch==2.9.1 torchvision==0.24.1 hydra-core==1.3.8
py311-floor   3.11 torch==2.9.1 torchvision==0.24.1 hydra-core==1.4.0rc1 omegaconf>=2.4.0.dev0
py311         3.11 torch torchvision hydra-core==1.3.8
py312         3.12 torch torchvision hydra-core==1.4.0rc1 omegaconf>=2.4.0.dev0
py313         3.13 torch torchvision hydra-core==1.3.8
"
MATRIX_DIR="${MATRIX_DIR:-build/matrix}"
RECORD=docs/records/matrix.md

interpreter() { # interpreter 3.12: print the path of a working interpreter
    local candidate
    for candidate in "python$1" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin/python; do
        if "$candidate" -c 'import venv' >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
    echo "Python $1 was not found, neither on PATH nor in pyenv" >&2
    return 1
}

find_uv() { # set UV
    UV="$(command -v uv || true)"
    [ -z "$UV" ] || return 0
    UV="$MATRIX_DIR/uv/bin/uv"
    [ -x "$UV" ] || { python3 -m venv "$MATRIX_DIR/uv" && "$MATRIX_DIR/uv/bin/python" -m pip install --quiet uv; }
}

install() { # install NAME VERSION REQUIREMENT...
    local folder="$MATRIX_DIR/$1" python wanted
    wanted="${*:2} $(pwd) $(cksum < pyproject.toml)"
    [ "$(cat "$folder/installed" 2>/dev/null || true)" = "$wanted" ] && return
    python="$(interpreter "$2")"
    find_uv
    echo "Installing $1 with $("$python" --version): ${*:3}"
    [ -x "$folder/bin/python" ] || "$UV" venv --quiet --python "$python" "$folder"
    "$UV" pip install --quiet --python "$folder/bin/python" -e '.[dev]' "${@:3}"
    echo "$wanted" > "$folder/installed"
}

versions() { # versions NAME: the first columns of its line in the table
    "$MATRIX_DIR/$1/bin/python" - <<'PYTHON'
import platform
from importlib.metadata import version

print(platform.python_version(), *map(version, ("torch", "torchvision", "hydra-core", "omegaconf", "numpy")), sep=" | ")
PYTHON
}

count() { # count LINE WORD: the number before WORD in the line that ends a report of pytest
    grep -oE "[0-9]+ $2" <<< "$1" | cut -d' ' -f1 || echo 0
}

run_tests() { # run_tests NAME [ARGUMENT...]
    local name="$1" folder="$MATRIX_DIR/$1" started=$SECONDS log="$MATRIX_DIR/$1.log" code=0 last
    shift
    "$folder/bin/python" -m pytest -q "$@" 2>&1 | tee "$log" || code=$?
    last="$(tail -n 1 "$log")"
    [ $# -gt 0 ] || echo "| $(versions "$name") | $(count "$last" passed) | $(count "$last" failed) |" \
        "$(count "$last" error) | $(count "$last" skipped) | $((SECONDS - started)) |" > "$MATRIX_DIR/$name.line"
    return $code
}

write_table() {
    {
        echo "# Fast tests on the supported versions"
        echo
        echo "Written by \`scripts/matrix.sh --write\` on $(date -u +%Y-%m-%d), with $(nproc) CPU cores, no GPU test."
        echo
        echo "| Python | torch | torchvision | Hydra | OmegaConf | NumPy | passed | failed | errors | skipped | seconds |"
        echo "|---|---|---|---|---|---|--:|--:|--:|--:|--:|"
        for name in $(awk 'NF { print $1 }' <<< "$ROWS"); do
            cat "$MATRIX_DIR/$name.line" 2>/dev/null || echo "$name has no result: scripts/matrix.sh $name" >&2
        done
    } > "$RECORD"
    echo "Wrote $RECORD"
}

main() {
    local names=() install_only=no write=no failed=() name line
    while [ $# -gt 0 ]; do
        case "$1" in
            --list) sed '/^$/d' <<< "$ROWS"; return ;;
            --install-only) install_only=yes ;;
            --write) write=yes ;;
            --) shift; break ;;
            *) grep -q "^$1 " <<< "$ROWS" || { echo "'$1' is not a row; --list prints all rows" >&2; return 2; }
               names+=("$1") ;;
        esac
        shift
    done
    [ "$write" = no ] || [ ${#names[@]} -gt 0 ] || { write_table; return; }
    [ ${#names[@]} -gt 0 ] || mapfile -t names < <(awk 'NF { print $1 }' <<< "$ROWS")
    export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
    mkdir -p "$MATRIX_DIR"
    for name in "${names[@]}"; do
        read -ra line <<< "$(grep "^$name " <<< "$ROWS")"
        install "${line[@]}"
        [ "$install_only" = yes ] || run_tests "$name" "$@" || failed+=("$name")
    done
    [ "$write" = no ] || write_table
    [ ${#failed[@]} -eq 0 ] || { echo "Failed: ${failed[*]}" >&2; return 1; }
}

main "$@"
