#!/usr/bin/env bash
# libpq's own client; its link is where the tests look for it.
set -euo pipefail
cd "$(dirname "$0")/../../.."
if ! command -v psql >/dev/null; then
  apt-get update -q
  apt-get install -yq --no-install-recommends postgresql-client
fi
mkdir -p node_modules/.cache/fidelity/psql
ln -sf "$(command -v psql)" node_modules/.cache/fidelity/psql/psql
