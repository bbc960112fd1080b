#!/usr/bin/env bash
# Checks templates against what CloudFormation accepts.
set -euo pipefail
cd "$(dirname "$0")/../../.."
source test/fidelity/setup/python-venv.bash
install_venv cfn-lint cfn-lint==1.58.0
