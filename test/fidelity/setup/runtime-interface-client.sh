#!/usr/bin/env bash
# AWS's own runtime interface client for Node.js, its native client compiled (g++, make, cmake, xz, python3).
set -euo pipefail
cd "$(dirname "$0")/../../.."
client=aws-lambda-ric@4.0.2
# The headers that the compiler needs come with this package; its executable is not used.
headers=node-$(node -p '`${process.platform}-${process.arch}`')
version=24.21.0
folder=node_modules/.cache/fidelity/runtime-interface-client
if [ "$(cat "$folder/installed.txt" 2>/dev/null)" = "$client $headers@$version" ]; then exit; fi
for tool in g++ make cmake xz python3; do
  command -v "$tool" >/dev/null || { echo "$tool is missing: apt-get install g++ make cmake xz-utils python3" >&2; exit 1; }
done
rm -rf "$folder"
mkdir -p "$folder"
echo '{ "private": true, "allowScripts": { "aws-lambda-ric": true } }' >"$folder/package.json"
npm install --prefix "$folder" --no-audit --no-fund --loglevel error "$headers@$version"
npm_config_nodedir=$PWD/$folder/node_modules/$headers \
  npm install --prefix "$folder" --no-audit --no-fund --loglevel error "$client"
# Last, so that an installation that was cut short is begun anew.
echo "$client $headers@$version" >"$folder/installed.txt"
