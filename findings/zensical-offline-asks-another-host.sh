#!/usr/bin/env bash
# zensical 0.0.73: the plugin `offline`, whose purpose is a site that works without a network, adds
# a script of another host to every page; without the plugin no page loads one.
# Output seen (Python 3.11):
#   scripts of other hosts: without 0, with offline 1
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$work/lib" zensical==0.0.73 2>/dev/null
export PYTHONPATH="$work/lib"
mkdir "$work/docs"
cd "$work"
printf '# A\n' > docs/index.md

count_outside_scripts() {
    printf '[project]\nsite_name = "A"\ntheme.font = false\n%s' "$1" > zensical.toml
    python3 -m zensical build --clean >/dev/null 2>&1
    grep -c '<script src="https\?://' site/index.html || true
}

without=$(count_outside_scripts '')
with=$(count_outside_scripts '[project.plugins.offline]')
seen="scripts of other hosts: without $without, with offline $with"
echo "$seen"
[ "$seen" = "scripts of other hosts: without 0, with offline 1" ]
