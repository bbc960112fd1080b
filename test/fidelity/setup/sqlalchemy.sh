#!/usr/bin/env bash
# SQLAlchemy, with CockroachDB's dialect.
set -euo pipefail
cd "$(dirname "$0")/../../.."
source test/fidelity/setup/python-venv.bash
install_venv sqlalchemy sqlalchemy==2.0.58 sqlalchemy-cockroachdb==2.0.4 psycopg2-binary==2.9.13
