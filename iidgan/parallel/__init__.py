"""Many seeds or many runs at once, on the cores of one machine.

Processes, their messages and their supervision belong here; what one process trains is
`training`'s.
"""
