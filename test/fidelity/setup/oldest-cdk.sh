#!/usr/bin/env bash
# The oldest aws-cdk-lib and constructs that the package accepts.
set -euo pipefail
cd "$(dirname "$0")/../../.."
oldest() { node -p "require('./package.json').peerDependencies['$1'].replace('^', '')"; }
versions="aws-cdk-lib@$(oldest aws-cdk-lib) constructs@$(oldest constructs)"
folder=node_modules/.cache/fidelity/oldest-cdk
if [ "$(cat $folder/versions.txt 2>/dev/null)" = "$versions" ]; then exit; fi
rm -rf $folder
mkdir -p $folder
echo '{ "private": true }' >$folder/package.json
# shellcheck disable=SC2086
npm install --prefix $folder --no-audit --no-fund --no-package-lock --silent $versions
# Last, so that an installation that was cut short is begun anew.
echo "$versions" >$folder/versions.txt
