#!/usr/bin/env bash
# In playwright 1.65.2, wait_for_function with an expression works on a page whose
# Content-Security-Policy forbids eval, as long as the expression is true when it is first looked
# at. If it becomes true later, the page evaluates it again by `eval`, and an error is raised. So
# a test of such a page passes on a fast machine and fails now and then on a slow one. A function
# with the same content always works, and so does page.evaluate with an expression. One would
# expect an expression to work always or never. Write `() => ...`.
# Needs Chromium 100 or newer as `chromium` on the path. Output seen (Python 3.11, Chromium 156):
#   1.65.2 expression, true at once: passes
#   1.65.2 expression, true after a second: EvalError
#   1.65.2 function, true at once: passes
#   1.65.2 function, true after a second: passes
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$work/lib" \
    playwright==1.65.2 2>/dev/null
cat > "$work/run.py" <<'PY'
import shutil
from importlib.metadata import version

from playwright.sync_api import Error, sync_playwright

PAGE = """<!doctype html>
<meta http-equiv="Content-Security-Policy" content="script-src 'nonce-a'">
<p>text</p>
<script nonce="a">setTimeout(() => { document.title = "ready"; }, 1000);</script>"""
CONDITIONS = {
    "expression, true at once": "document.title !== 'ready'",
    "expression, true after a second": "document.title === 'ready'",
    "function, true at once": "() => document.title !== 'ready'",
    "function, true after a second": "() => document.title === 'ready'",
}

with sync_playwright() as driver:
    browser = driver.chromium.launch(
        executable_path=shutil.which("chromium"), args=["--no-sandbox"]
    )
    for name, condition in CONDITIONS.items():
        page = browser.new_page()
        page.set_content(PAGE)
        try:
            page.wait_for_function(condition)
            seen = "passes"
        except Error as error:
            seen = "EvalError" if "EvalError" in str(error) else str(error)
        print(version("playwright"), f"{name}: {seen}")
        page.close()
    browser.close()
PY
seen=$(PYTHONPATH="$work/lib" python3 "$work/run.py" 2>/dev/null)
echo "$seen"
[ "$seen" = "1.65.2 expression, true at once: passes
1.65.2 expression, true after a second: EvalError
1.65.2 function, true at once: passes
1.65.2 function, true after a second: passes" ]
