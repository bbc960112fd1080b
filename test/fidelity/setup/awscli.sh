#!/usr/bin/env bash
# The commands that README and outputs tell users to type.
set -euo pipefail
cd "$(dirname "$0")/../../.."
source test/fidelity/setup/python-venv.bash
install_venv awscli awscli==1.46.3
