"""Other executors of a training step: compiled as a whole, or replayed as a CUDA graph.

The way in is `compile_step`. Private interfaces of torch are used in `inductor` alone; what a
step computes is defined in `engine.step`.
"""
