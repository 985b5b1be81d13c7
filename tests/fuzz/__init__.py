"""Commands on damaged files: one line of error or the right result, and never a traceback.

`python -m tests.fuzz` runs more rounds than the tests do, and repeats one by its number.
"""
