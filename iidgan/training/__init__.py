"""One training of one run: its directory, its networks and batches, and the trained model.

Whatever a single process needs to train, resume and export belongs here; dividing work among
processes is `parallel`'s, and measuring is `evaluation`'s.
"""
