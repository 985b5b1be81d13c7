#!/usr/bin/env bash
# zensical 0.0.73 with --strict fails on links to pages and anchors that do not exist, but not on an
# image that does not exist; and a section of the navigation without pages becomes a link to the
# file "none" on every page, without a warning. So strict mode alone does not show that a site is
# whole: the links of the pages that were written have to be checked.
# Output seen (Python 3.11):
#   lost page 1, lost image 0, empty section 0 <a href="./none"
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$work/lib" zensical==0.0.73 2>/dev/null
export PYTHONPATH="$work/lib"
mkdir "$work/docs"
cd "$work"

build() {
    local code=0
    printf '[project]\nsite_name = "A"\nuse_directory_urls = false\nnav = [{ "A" = "index.md" }%s]\n' "$2" > zensical.toml
    printf '# A\n\n%s\n' "$1" > docs/index.md
    python3 -m zensical build --strict --clean >/dev/null 2>&1 || code=$?
    printf '%s' "$code"
}

seen="lost page $(build '[1](lost.md)' ''), lost image $(build '![1](lost.png)' ''), "
seen+="empty section $(build '' ', { "B" = [] }') $(grep -o '<a href="./none"' site/index.html | head -n 1)"
echo "$seen"
[ "$seen" = 'lost page 1, lost image 0, empty section 0 <a href="./none"' ]
