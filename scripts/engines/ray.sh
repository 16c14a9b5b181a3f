#!/usr/bin/env bash
# Start a Ray cluster of a head and two workers for the duration of one command:
#
#   pip install "gansweep[ray]"
#   bash scripts/engines/ray.sh python -m pytest -m ray
#
# Needs root, or user namespaces. Ray's servers listen on all addresses regardless of their settings,
# so the cluster runs in a network namespace with only the loopback device, and in a process namespace
# that ends with the command.
set -eu
[ $# -gt 0 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2; }
if [ "${1}" != --inside ]; then
    root=$([ "$(id -u)" = 0 ] || echo --map-root-user)
    exec unshare $root --net --pid --fork --mount-proc bash "$0" --inside "$@"
fi
shift
ip link set lo up
home=$(mktemp -d)
trap 'ray stop --force >/dev/null 2>&1; rm -rf "$home"' EXIT
# Otherwise Ray creates a token in the user's home directory and sends usage statistics.
export RAY_AUTH_MODE=disabled RAY_USAGE_STATS_ENABLED=0
small=--object-store-memory=100000000
ray start --head --node-ip-address=127.0.0.1 --port=6379 --include-dashboard=false --num-cpus=0 \
    --min-worker-port=20000 --max-worker-port=20500 --temp-dir="$home/ray" $small >"$home/head.log" 2>&1 ||
    { cat "$home/head.log"; exit 1; }
for worker in 1 2; do
    ray start --address=127.0.0.1:6379 --num-cpus=1 $small >"$home/worker.log" 2>&1 || { cat "$home/worker.log"; exit 1; }
done
ray status --address=127.0.0.1:6379
# Not RAY_ADDRESS: the address is passed to Hydra's launcher, as on any cluster.
export GANSWEEP_TEST_RAY=127.0.0.1:6379
"$@"
