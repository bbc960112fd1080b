#!/bin/sh
# Makes build/ and function.zip: the function with its packages for Lambda, whatever machine this is.
set -eu
cd "$(dirname "$0")"
rm -rf build function.zip
python3 -m pip install --quiet --no-compile --target build --platform manylinux_2_28_aarch64 --python-version 3.13 \
  --only-binary :all: --requirement requirements.txt
cp -R function/. build
(cd build && python3 -m zipfile -c ../function.zip .)
