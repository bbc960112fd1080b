#!/usr/bin/env bash
# The Serverless Framework that needs no account, in a folder of its own.
set -euo pipefail
cd "$(dirname "$0")/../../.."
version=osls@4.3.1
folder=node_modules/.cache/fidelity/osls
if [ "$(cat $folder/version.txt 2>/dev/null)" = "$version" ]; then exit; fi
rm -rf $folder
mkdir -p $folder
echo '{ "private": true }' >$folder/package.json
npm install --prefix $folder --no-audit --no-fund --no-package-lock --silent $version
# Last, so that an installation that was cut short is begun anew.
echo "$version" >$folder/version.txt
