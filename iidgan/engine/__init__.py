"""Training machinery: state, step, optimiser, batches, loop, checkpoints and inference.

It calls the losses that methods define and contains no formula of any method; other ways to
execute a step are in `engine.compile`.
"""
