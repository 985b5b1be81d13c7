"""Several processes on this machine that share a batch, with gloo."""

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

NUM_RANKS = 2


def run_ranks(function, tmp_path, *args, num_ranks=NUM_RANKS):
    """Call function(*args) in each process of a group and return the results by rank."""
    mp.spawn(_run_rank, (num_ranks, function, tmp_path, args), nprocs=num_ranks)
    return [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(num_ranks)]


def _run_rank(rank, num_ranks, function, tmp_path, args):
    torch.set_num_threads(1)
    method = f"file://{tmp_path}/rendezvous"
    dist.init_process_group("gloo", init_method=method, rank=rank, world_size=num_ranks)
    try:
        torch.save(function(*args), tmp_path / f"{rank}.pt")
        dist.barrier()  # no process leaves the group while another is busy
    finally:
        dist.destroy_process_group()
