#!/usr/bin/env bash
# torch 2.13.0: ahead-of-time compilation precompiles torch's headers, which are most of the time of
# small libraries, and includes the result in later ones. Which suffix it gets depends on the *name*
# of the compiler: ".gch" if that contains "gcc" or "g++", ".pch" otherwise. With CXX=c++, the
# standard name of GCC's compiler on Debian and others, the file is written as ".pch", which GCC
# does not look for, so that every library reads the headers from the start, without a warning. GCC
# says so with -H: "!" marks a precompiled header that it took. Both files lie in torchinductor_USER
# of the folder for temporary files whatever TORCHINDUCTOR_CACHE_DIR says, where they stay.
# Output seen (Python 3.11, g++ 12):
#   2.13.0 g++: .gch, in TMPDIR, taken; c++: .pch, in TMPDIR, not taken
set -euo pipefail
command -v g++ >/dev/null && command -v c++ >/dev/null
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$work/lib" torch==2.13.0 \
    numpy==2.4.6 2>/dev/null
cat > "$work/compile.py" <<'PY'
import sys

import torch
from torch._inductor import aot_compile, config

config.aot_inductor.precompile_headers = True
torch.set_num_threads(1)
x = torch.ones(64)
graph = torch.fx.symbolic_trace(lambda x: (torch.sin(x) + 1,))
aot_compile(graph, (x,), options={"aot_inductor.output_path": sys.argv[1]})
PY
texts=()
for compiler in g++ c++; do
    mkdir -p "$work/$compiler/tmp" "$work/$compiler/cache"
    PYTHONPATH="$work/lib" CXX=$compiler TMPDIR="$work/$compiler/tmp" \
        TORCHINDUCTOR_CACHE_DIR="$work/$compiler/cache" \
        python3 "$work/compile.py" "$work/$compiler/library.so" >/dev/null 2>&1
    file=$(find "$work/$compiler" \( -name '*.gch' -o -name '*.pch' \) | head -n 1)
    folder=$([[ $file == "$work/$compiler/tmp/"* ]] && echo TMPDIR || echo cache)
    # The same header with the suffix that was written: does this compiler look at it?
    echo 'extern int number;' > "$work/$compiler/small.h"
    $compiler -x c++-header "$work/$compiler/small.h" -o "$work/$compiler/small.h.${file##*.}"
    echo 'int main() {}' > "$work/$compiler/main.cpp"
    included=$($compiler -H -include "$work/$compiler/small.h" -c "$work/$compiler/main.cpp" \
        -o /dev/null 2>&1 | head -n 1)
    taken=$([[ $included == '!'* ]] && echo taken || echo 'not taken')
    texts+=("$compiler: .${file##*.}, in $folder, $taken")
done
seen="2.13.0 ${texts[0]}; ${texts[1]}"
echo "$seen"
[ "$seen" = "2.13.0 g++: .gch, in TMPDIR, taken; c++: .pch, in TMPDIR, not taken" ]
