#!/bin/sh
# Makes a virtual environment with what marketing needs, and Python code of the published language.
set -eu
cd "$(dirname "$0")"
[ -x .venv/bin/python ] || python3 -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
mkdir -p generated
root=../..
find "$root/proto/highstreet" -name 'events.proto' -o -name 'common.proto' | sed "s|^$root/proto/||" |
    xargs .venv/bin/python -m grpc_tools.protoc -I "$root/proto" -I "$root/third_party/googleapis" --python_out generated
