#!/usr/bin/env bash
# Somebody else's Secrets Manager, to hold ours against.
set -euo pipefail
cd "$(dirname "$0")/../../.."
source test/fidelity/setup/python-venv.bash
install_venv moto 'moto[server]==5.2.5'
