#!/usr/bin/env bash
# PostgreSQL's JDBC driver, and the compiler for a program that uses it; links are where the tests look for them.
set -euo pipefail
cd "$(dirname "$0")/../../.."
driver=/usr/share/java/postgresql.jar
missing=()
command -v javac >/dev/null || missing+=(default-jdk-headless)
[ -e "$driver" ] || missing+=(libpostgresql-jdbc-java)
if [ "${#missing[@]}" -gt 0 ]; then
  apt-get update -q
  apt-get install -yq --no-install-recommends "${missing[@]}"
fi
mkdir -p node_modules/.cache/fidelity/jdbc
ln -sf "$(command -v java)" node_modules/.cache/fidelity/jdbc/java
ln -sf "$driver" node_modules/.cache/fidelity/jdbc/postgresql.jar
