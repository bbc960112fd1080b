#!/usr/bin/env bash
# The commands in README.md and in the stack's outputs.
set -euo pipefail
cd "$(dirname "$0")/../../.."
source test/fidelity/setup/python-venv.bash
install_venv awscli awscli==1.46.3
