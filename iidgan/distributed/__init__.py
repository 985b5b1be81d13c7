"""One batch on several processes: each evaluates networks on its share of the samples.

Losses see the whole batch in every process, so that a run on R processes is, up to rounding, that
on one. `batch_share` is for layers whose outputs depend on other samples of the batch.
"""

from iidgan.distributed.batch_share import BatchShare, active_share

__all__ = ["BatchShare", "active_share"]
