# Sourced by demo.sh and test.sh: makes `python` an interpreter with gansweep installed.
# An active virtual environment is used; otherwise .venv is created at the top of the checkout.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [ -z "${VIRTUAL_ENV:-}" ] && [ -z "${CONDA_PREFIX:-}" ]; then
    if [ ! -x .venv/bin/python ]; then
        for candidate in python3.13 python3.12 python3.11 python3.10 python3; do
            if command -v "$candidate" >/dev/null 2>&1 &&
                "$candidate" -c 'import sys, venv; sys.exit(not (3, 10) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; then
                echo "Making .venv with $("$candidate" --version)"
                "$candidate" -m venv .venv
                break
            fi
        done
        [ -x .venv/bin/python ] || { echo "gansweep needs Python 3.10 to 3.13; none was found" >&2; exit 1; }
    fi
    # shellcheck disable=SC1091
    source .venv/bin/activate
    made_active=yes
fi

# Install this checkout again only if pyproject.toml or the path has changed.
mark="$(python -c 'import sys; print(sys.prefix)')/gansweep-installed-${EXTRAS:-}"
wanted="$(pwd) $(cksum < pyproject.toml)"
if [ "$(cat "$mark" 2>/dev/null || true)" != "$wanted" ]; then
    echo "Installing gansweep and its dependencies; the first time this takes some minutes"
    python -m pip install --quiet --disable-pip-version-check -e ".${EXTRAS:+[$EXTRAS]}"
    echo "$wanted" > "$mark"
    if [ -n "${made_active:-}" ]; then echo "For further commands in your shell: source .venv/bin/activate"; fi
fi
