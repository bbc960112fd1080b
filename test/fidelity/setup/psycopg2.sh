#!/usr/bin/env bash
# The article's client, with what a Python function on Lambda has beside it.
set -euo pipefail
cd "$(dirname "$0")/../../.."
source test/fidelity/setup/python-venv.bash
install_venv psycopg2 psycopg2-binary==2.9.13 awslambdaric==4.2.2 boto3==1.44.5
