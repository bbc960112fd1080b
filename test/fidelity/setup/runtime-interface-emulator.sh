#!/usr/bin/env bash
# AWS's runtime interface emulator: the Go program as AWS builds it, out of the SAM CLI's package.
set -euo pipefail
cd "$(dirname "$0")/../../.."
requirement=aws-sam-cli==1.170.0
folder=node_modules/.cache/fidelity/runtime-interface-emulator
if [ "$(cat "$folder/installed.txt" 2>/dev/null)" = "$requirement" ]; then exit; fi
case $(uname -sm) in
  'Linux x86_64') emulator=aws-lambda-rie-x86_64 ;;
  'Linux aarch64') emulator=aws-lambda-rie-arm64 ;;
  *) echo "The runtime interface emulator runs on Linux only, not on $(uname -sm)" >&2; exit 1 ;;
esac
rm -rf "$folder"
mkdir -p "$folder"
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$folder" "$requirement"
python3 - "$folder" "$emulator" <<'PYTHON'
import pathlib, sys, zipfile
folder, emulator = pathlib.Path(sys.argv[1]), sys.argv[2]
[wheel] = folder.glob("*.whl")
target = folder / "aws-lambda-rie"
target.write_bytes(zipfile.ZipFile(wheel).read(f"samcli/local/rapid/{emulator}"))
target.chmod(0o755)
wheel.unlink()
PYTHON
# Last, so that an installation that was cut short is begun anew.
echo "$requirement" >"$folder/installed.txt"
