"""The machinery: state, moves, executors, the loop and checkpoints. It knows no formula."""
