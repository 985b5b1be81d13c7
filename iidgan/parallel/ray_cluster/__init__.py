"""Jobs as tasks of a Ray cluster: one machine, or many with or without a common folder.

The driver is the process that was started by hand. It hands out jobs, and alone writes records.
Tasks tell it of their progress through a mailbox, an actor on the driver's machine.
"""
