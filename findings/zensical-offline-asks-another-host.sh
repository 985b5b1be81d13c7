#!/usr/bin/env bash
# zensical 0.0.73: the plugin `offline`, whose purpose is a site that works without a network, adds
# a script of another host (unpkg.com) to every page; without the plugin no page asks another host.
# Output seen (Python 3.11):
#   without 0, with offline <script src="https://unpkg.com/iframe-worker/shim"
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$work/lib" zensical==0.0.73 2>/dev/null
export PYTHONPATH="$work/lib"
mkdir "$work/docs"
cd "$work"
printf '# A\n' > docs/index.md

outside() {
    printf '[project]\nsite_name = "A"\ntheme.font = false\n%s' "$1" > zensical.toml
    python3 -m zensical build --clean >/dev/null 2>&1
    grep -o '<script src="https\?://[^"]*"' site/index.html || echo 0
}

seen="without $(outside ''), with offline $(outside '[project.plugins.offline]')"
echo "$seen"
[ "$seen" = 'without 0, with offline <script src="https://unpkg.com/iframe-worker/shim"' ]
