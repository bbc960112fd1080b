#!/usr/bin/env bash
# What the function of `init --python` has beside it on Lambda, and what checks its text.
set -euo pipefail
cd "$(dirname "$0")/../../.."
source test/fidelity/setup/python-venv.bash
install_venv psycopg 'psycopg[binary]==3.3.9' awslambdaric==4.2.2 boto3==1.44.5 mypy==2.4.1 ruff==0.17.6
