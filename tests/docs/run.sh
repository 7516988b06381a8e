#!/usr/bin/env bash
# Runs a program or the commands of a page as a reader would: in a fresh folder that holds examples/, build/quickstart
# (this build) and the examples' tables, packed and unpacked.
#   run.sh FOLDER SOURCE_ROOT BUILD_ROOT COMMAND...
set -euo pipefail

folder=$1 source=$2 build=$3
shift 3
rm -rf "$folder"
mkdir -p "$folder/build"
ln -s "$source/examples" "$folder/examples"
ln -s "$build" "$folder/build/quickstart"
shopt -s nullglob
for table in "$source"/examples/*/*.csv.gz; do
  cp "$table" "$folder/"
  gzip -dc "$table" >"$folder/$(basename "$table" .gz)"
done
cd "$folder"
PATH="$build/examples/churn:$PATH" "$@" </dev/null
