#!/usr/bin/env bash
# An outside Secrets Manager, to compare the stand-in with.
set -euo pipefail
cd "$(dirname "$0")/../../.."
source test/fidelity/setup/python-venv.bash
install_venv moto 'moto[server]==5.2.5'
