#!/usr/bin/env bash
# AWS on loopback: accepts a real `cdk bootstrap` and `cdk deploy`, and runs functions in Node.
set -euo pipefail
cd "$(dirname "$0")/../../.."
source test/fidelity/setup/python-venv.bash
install_venv ministack ministack==1.5.33
