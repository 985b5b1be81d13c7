"""Executors of a training step: compiled by Inductor, or captured as a CUDA graph.

`compile_step` is the way in. What a step computes is defined in `iidgan.engine.step` alone.
"""

from iidgan.engine.compile.capture import CompiledStep
from iidgan.engine.compile.executors import (
    Executor,
    StepBuilder,
    StepDispatcher,
    check_executor,
    compile_step,
)
from iidgan.engine.compile.inductor import cache_dir, compile_graph, set_inductor_cache

__all__ = [
    "CompiledStep",
    "Executor",
    "StepBuilder",
    "StepDispatcher",
    "cache_dir",
    "check_executor",
    "compile_graph",
    "compile_step",
    "set_inductor_cache",
]
