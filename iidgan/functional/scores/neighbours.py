"""Nearest neighbours in blocks, as fast as products in float32, as exact as float64.

The squared distances ‖x‖² + ‖y‖² - 2⟨x, y⟩ of a block are one matrix product, but its rounding is
that of the squared norms: in float32, the order of neighbours closer than about a thousandth of
the norms is arbitrary. So the products, of centred vectors, decide only what they can. Pairs that
they leave open are computed again from the differences, in float64, and a block with many of them
by a product in float64. Memory is that of a copy of one set and of a few blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from iidgan.errors import InputError

BLOCK_SIZE = 1024
"""Rows and columns of a block of distances: 4 MB in float32."""

_DIRECT_DIMENSIONS = 16  # up to here, differences cost little more than products
_SPARE_CANDIDATES = 4
_TIE_TOLERANCE = 1e-12  # relative, of squared distances that should be equal
_MAX_PAIR_ELEMENTS = 2**16  # float64: 0.5 MB, which stays in the cache
_MAX_OPEN_PAIRS = 2**13  # beyond, a product of the block in float64 is cheaper
_MAX_MERGED_SHARE = 1 / 16  # of a block; beyond, selecting from all of its values is cheaper


@dataclass(frozen=True)
class PointSet:
    """Features as points relative to an origin and in a unit that they share with other sets.

    Arguments:
        features: Finite features, with shape (N, D).
        origin: The origin, float32 or float64 with shape (D,).
        unit: Length of the unit.
    """

    features: Tensor
    origin: Tensor
    unit: float

    def __len__(self) -> int:
        return len(self.features)

    @property
    def is_direct(self) -> bool:
        """Whether distances of blocks are computed from the differences."""
        return self.features.shape[1] <= _DIRECT_DIMENSIONS

    @property
    def product_dtype(self) -> torch.dtype:
        """float32 where products have its precision, which users and autocast may lower."""
        device = self.features.device.type
        is_lowered = (
            device != "cpu"
            or torch.get_float32_matmul_precision() != "highest"
            or torch.is_autocast_enabled(device)
        )
        return torch.float64 if self.is_direct or is_lowered else torch.float32

    @cached_property
    def squared_norms(self) -> Tensor:
        """Squared distances from the origin, of the dtype of products, with shape (N,)."""
        dtype = self.product_dtype
        return torch.cat([_squared_norms(self.rows(block, dtype)) for block in _blocks(self)])

    def rows(self, selection: slice | Tensor, dtype: torch.dtype) -> Tensor:
        """Return the selected points, with shape (n, D)."""
        # At least in the precision of the result, which is then all that rounds the points.
        features = self.features[selection].to(torch.promote_types(self.origin.dtype, dtype))
        return (features - self.origin).div_(self.unit).to(dtype)

    def block(self, rows: slice, dtype: torch.dtype) -> _Block:
        """Return some points with their squared norms."""
        points = self.rows(rows, dtype)
        is_known = dtype == self.product_dtype
        return _Block(points, self.squared_norms[rows] if is_known else _squared_norms(points))

    def error_bound(self, dtype: torch.dtype) -> float:
        """Bound the error of a squared distance by products, relative to the squared norms.

        Rounding errors of a sum of D products grow as √D; twice that, and the rounding of points.
        """
        return (8 + 2 * self.features.shape[1] ** 0.5) * torch.finfo(dtype).eps


@dataclass(frozen=True)
class _Block:
    """Some points, with shape (n, D), and their squared norms."""

    points: Tensor
    squared_norms: Tensor

    def squared_distances(self, other: _Block) -> Tensor:
        """Compute squared distances, with shape (n, m); by products in many dimensions."""
        x, y = self.points, other.points
        if x.shape[1] > _DIRECT_DIMENSIONS:
            norms, other_norms = self.squared_norms[:, None], other.squared_norms
            return torch.addmm(other_norms, x, y.mT, alpha=-2).add_(norms)
        distances = x.new_zeros(len(x), len(y))
        for x_column, y_column in zip(x.mT, y.mT):
            distances += (x_column[:, None] - y_column).square_()
        return distances


def point_sets(*feature_sets: Tensor) -> tuple[PointSet, ...]:
    """Centre sets of features at the mean of the first one, in the unit of the range of values.

    Arguments:
        *feature_sets: Finite features, each with shape (N, D).

    Returns:
        Their points; the features are not copied.

    Raises:
        InputError: The range of the values overflows.

    Examples:
        >>> points, = point_sets(torch.tensor([[1000.0], [1002.0]]))
        >>> points.rows(slice(0, 2), torch.float64)
        tensor([[-1.],
                [ 1.]], dtype=torch.float64)
    """
    feature_sets = tuple(features.detach() for features in feature_sets)
    is_double = any(features.dtype == torch.float64 for features in feature_sets)
    dtype = torch.float64 if is_double else torch.float32
    first = feature_sets[0]
    block_sums = [first[block].sum(0, dtype=torch.float64) for block in _blocks(first)]
    origin = (torch.stack(block_sums).sum(0) / len(first)).to(dtype)
    origin_low, origin_high = map(float, origin.aminmax())
    unit = 0.0
    for features in feature_sets:
        low, high = map(float, features.aminmax())
        unit = max(unit, high - origin_low, origin_high - low)
    if not unit < torch.finfo(dtype).max:
        raise InputError(f"features: the range of their values overflows {dtype}; scale them down")
    return tuple(PointSet(features, origin, unit or 1.0) for features in feature_sets)


def nearest_neighbours(
    features: Tensor, reference: Tensor, k: int = 1, *, same_set: bool = False
) -> tuple[Tensor, Tensor]:
    """Find the k nearest reference points of each point, by the Euclidean distance.

    Time is O(N N' D), memory that of a copy of one set, and of a few blocks. Distances are those
    of float64, to a relative error of 1e-12, down to about 1e-7 of the points' distance from the
    mean of the reference.

    Arguments:
        features: Finite features, with shape (N, D).
        reference: Finite features, with shape (N', D).
        k: Number of neighbours, at most N', or N' - 1 within one set.
        same_set: Whether both are the same features; no point is its own neighbour then.

    Returns:
        Distances in increasing order, float64, and indices, int64, each with shape (N, k).

    Raises:
        InputError: The range of the values overflows.

    Examples:
        >>> reference = torch.tensor([[0.0, 0.0], [3.0, 4.0], [6.0, 8.0]])
        >>> nearest_neighbours(torch.tensor([[0.0, 1.0]]), reference)
        (tensor([[1.]], dtype=torch.float64), tensor([[0]]))
        >>> nearest_neighbours(reference, reference, k=2, same_set=True)[1]
        tensor([[1, 2],
                [0, 2],
                [1, 0]])
    """
    reference_points, points = point_sets(reference, features)
    if same_set:
        points = reference_points
    squared_distances, indices = _search(points, reference_points, k, only_last=False)
    return squared_distances.sqrt() * points.unit, indices


def squared_radii(points: PointSet, k: int) -> Tensor:
    """Compute the squared distance of each point to its k-th nearest other point.

    Arguments:
        points: At least k + 1 points.
        k: Which neighbour, at least 1.

    Returns:
        float64 with shape (N,), in the unit of the points.

    Examples:
        >>> points, = point_sets(torch.tensor([[0.0], [1.0], [3.0], [8.0]]))
        >>> squared_radii(points, k=1).sqrt() * points.unit
        tensor([1., 1., 2., 5.], dtype=torch.float64)
    """
    return _search(points, points, k, only_last=True)[0][:, -1]


@dataclass(frozen=True)
class DistanceBlock:
    """The distances between some points of two sets.

    Arguments:
        x: The first set.
        y: The second set.
        rows: The points of the first set.
        columns: The points of the second set.
        squared_distances: Squared distances in the precision of products, with shape (n, m).
    """

    x: PointSet
    y: PointSet
    rows: slice
    columns: slice
    squared_distances: Tensor

    def within(self, squared_radii: Tensor) -> Tensor:
        """Test which points lie in the balls around the points of the other set.

        A point on the boundary is inside: `<=`, up to rounding.

        Arguments:
            squared_radii: Squared radii of the balls around the rows, float64 with shape (n, 1),
                or around the columns, with shape (1, m).

        Returns:
            Whether each distance is at most the radius, bool with shape (n, m).
        """
        limits = squared_radii * (1 + _TIE_TOLERANCE)
        if self.x.is_direct:
            return self.squared_distances <= limits
        dtype = self.squared_distances.dtype
        x_norms = self.x.squared_norms[self.rows, None].double()
        y_norms = self.y.squared_norms[None, self.columns].double()
        if dtype == torch.float64:
            return self.squared_distances <= limits + self.x.error_bound(dtype) * (
                x_norms + y_norms
            )
        by_row = squared_radii.shape[1] == 1
        # One bound a row or column: in a product in float32, a bound for each pair costs more.
        norms = x_norms + y_norms.amax() if by_row else x_norms.amax() + y_norms
        error = self.x.error_bound(dtype) * norms + 2 * torch.finfo(dtype).eps * limits
        is_within = self.squared_distances < (limits - error).to(dtype)
        is_possible = self.squared_distances <= (limits + error).to(dtype)
        row, column = _find_few(is_within ^ is_possible)
        if len(row) > _MAX_OPEN_PAIRS:
            return self._in_double().within(squared_radii)
        pair_distances = _pair_distances(
            self.x, row + self.rows.start, self.y, column + self.columns.start
        )
        is_within[row, column] = pair_distances <= limits.flatten()[row if by_row else column]
        return is_within

    def _in_double(self) -> DistanceBlock:
        row_block, column_block = (
            points.block(selection, torch.float64)
            for points, selection in ((self.x, self.rows), (self.y, self.columns))
        )
        return replace(self, squared_distances=row_block.squared_distances(column_block))


def iterate_blocks(x: PointSet, y: PointSet) -> Iterator[DistanceBlock]:
    """Iterate over the distances between two sets, block by block.

    Arguments:
        x: The first set.
        y: The second set.

    Examples:
        >>> x, y = point_sets(torch.tensor([[0.0], [2.0]]), torch.tensor([[1.0], [5.0]]))
        >>> squared_radii_of_one = torch.full((2, 1), 1 / x.unit**2, dtype=torch.float64)
        >>> [block.within(squared_radii_of_one) for block in iterate_blocks(x, y)]
        [tensor([[ True, False],
                [ True, False]])]
    """
    column_blocks = _list_blocks(y, x.product_dtype)
    for rows in _blocks(x):
        row_block = x.block(rows, x.product_dtype)
        for columns, column_block in zip(_blocks(y), column_blocks):
            distances = row_block.squared_distances(column_block)
            yield DistanceBlock(x, y, rows, columns, distances)


def count_true(mask: Tensor, dim: int) -> Tensor:
    """Count the true values along a dimension, several times as fast as `Tensor.sum`.

    Arguments:
        mask: Such as from `DistanceBlock.within`, bool.
        dim: The dimension.

    Returns:
        int64, without that dimension.

    Examples:
        >>> count_true(torch.tensor([[True, False], [True, True]]), dim=0)
        tensor([2, 1])
    """
    parts = mask.view(torch.uint8).split(128, dim)  # counts up to 255 fit into a byte
    return torch.stack([part.sum(dim, dtype=torch.uint8) for part in parts]).sum(0)


def _find_few(mask: Tensor) -> tuple[Tensor, Tensor]:
    """Find the indices of true values, faster than `nonzero` if they lie in few rows."""
    rows = mask.view(torch.uint8).amax(1).nonzero()[:, 0]
    row, column = mask[rows].nonzero(as_tuple=True)
    return rows[row], column


def _search(x: PointSet, y: PointSet, k: int, *, only_last: bool) -> tuple[Tensor, Tensor]:
    """Find the k nearest points in y of each point in x, other than itself if x is y.

    Returns squared distances in increasing order, float64, and indices, both (N, k). With
    `only_last`, those before the k-th are approximate.
    """
    dtype = x.product_dtype
    own_indices = torch.arange(len(x), device=x.features.device) if x is y else None
    candidates = _find_candidates(x, y, k, dtype, own_indices)
    distances, indices, is_certain = _refine(x, y, k, dtype, candidates, only_last)
    uncertain_rows = (~is_certain).nonzero()[:, 0]
    for start in range(0, len(uncertain_rows), BLOCK_SIZE):
        open_rows = uncertain_rows[start : start + BLOCK_SIZE]
        row_points = replace(x, features=x.features[open_rows])
        row_own = None if own_indices is None else own_indices[open_rows]
        candidates = _find_candidates(row_points, y, k, torch.float64, row_own)
        distances[open_rows], indices[open_rows], _ = _refine(
            row_points, y, k, torch.float64, candidates, only_last
        )
    return distances, indices


def _find_candidates(
    x: PointSet, y: PointSet, k: int, dtype: torch.dtype, own_indices: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Find the nearest points by distances of limited precision, some more than k.

    Returns squared distances in increasing order, of `dtype`, and indices, both (N, n).
    """
    num_others = len(y) - (own_indices is not None)
    num_candidates = min(k + _SPARE_CANDIDATES, num_others)
    device = x.features.device
    nearest = _Nearest(
        torch.full((len(x), num_candidates), torch.inf, dtype=dtype, device=device),
        torch.zeros(len(x), num_candidates, dtype=torch.int64, device=device),
    )
    column_blocks = _list_blocks(y, dtype)
    for position, rows in enumerate(_blocks(x)):
        row_block = column_blocks[position] if x is y else x.block(rows, dtype)
        for columns, column_block in zip(_blocks(y), column_blocks):
            if x is y and columns.start < rows.start:
                continue  # merged with the block on the other side of the diagonal
            block = row_block.squared_distances(column_block)
            if own_indices is not None:
                own = own_indices[rows] - columns.start
                row = ((own >= 0) & (own < block.shape[1])).nonzero()[:, 0]
                block[row, own[row]] = torch.inf
            nearest.merge(rows, columns, block)
            if x is y and columns.start > rows.start:
                nearest.merge(columns, rows, block, dim=0)
    return nearest.distances, nearest.indices


@dataclass(frozen=True)
class _Nearest:
    """The nearest points so far: squared distances in increasing order, and indices, (N, n)."""

    distances: Tensor
    indices: Tensor

    def merge(self, points: slice, others: slice, block: Tensor, dim: int = 1) -> None:
        """Merge the squared distances between some points and some of the others.

        `dim` is the dimension of the block along which the others lie.
        """
        limits = self.distances[points, -1]
        is_nearer = block < limits.unsqueeze(dim)
        counts = count_true(is_nearer, dim)
        if int(counts.sum()) > _MAX_MERGED_SHARE * is_nearer.numel():
            num_nearest = min(self.distances.shape[1], block.shape[dim])
            values, offsets = block.movedim(dim, 1).topk(num_nearest, largest=False)
            changed = torch.arange(len(limits), device=limits.device)
        else:
            # Selecting from all values takes several times as long as from the few that are
            # nearer than the nearest of the blocks before.
            changed, values, offsets = _collect(block, is_nearer, counts, dim)
        self._replace(changed + points.start, values, offsets + others.start)

    def _replace(self, rows: Tensor, values: Tensor, indices: Tensor) -> None:
        all_values = torch.cat([self.distances[rows], values], 1)
        all_indices = torch.cat([self.indices[rows], indices], 1)
        order = all_values.topk(self.distances.shape[1], largest=False, sorted=True)
        self.distances[rows] = order.values
        self.indices[rows] = all_indices.gather(1, order.indices)


def _collect(
    values: Tensor, mask: Tensor, counts: Tensor, dim: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Collect the values where a mask is true, row by row, or column by column if `dim` is 0.

    Returns the rows that have any, their values, padded with infinity to the largest count, and
    the positions of these along `dim`.
    """
    first, second = mask.nonzero(as_tuple=True)
    rows = counts.nonzero()[:, 0]
    counts = counts[rows]
    width = int(counts.amax()) if len(rows) else 0
    is_used = torch.arange(width, device=values.device) < counts[:, None]
    # Row by row on both sides.
    order = second.argsort(stable=True) if dim == 0 else slice(None)
    selected = values.new_full(is_used.shape, torch.inf)
    positions = first.new_zeros(is_used.shape)
    used = is_used.nonzero(as_tuple=True)
    selected[used] = values[first, second][order]
    positions[used] = (first, second)[dim][order]
    return rows, selected, positions


def _refine(
    x: PointSet,
    y: PointSet,
    k: int,
    dtype: torch.dtype,
    candidates: tuple[Tensor, Tensor],
    only_last: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """Compute the distances of candidates that may be the k nearest, or only the k-th.

    Returns squared distances and indices as `_search` does, and whether no other points can be
    among the k nearest, bool (N,).
    """
    approximate, indices = candidates[0].double(), candidates[1]
    error = x.error_bound(dtype) * (x.squared_norms + y.squared_norms.amax())[:, None].double()
    offsets = approximate - approximate[:, k - 1 : k]
    is_open = offsets <= 2 * error
    has_others = approximate.shape[1] < len(y) - (x is y)
    is_certain = ~is_open[:, -1] | (not has_others) | (dtype == torch.float64)
    if only_last:
        is_open &= offsets >= -2 * error
    row, column = is_open.nonzero(as_tuple=True)
    distances = approximate.clone()
    distances[row, column] = _pair_distances(x, row, y, indices[row, column])
    order = distances.argsort(stable=True)[:, :k]
    distances, indices = distances.gather(1, order), indices.gather(1, order)
    return distances, indices, is_certain | (distances[:, -1] == 0)


def _squared_norms(points: Tensor) -> Tensor:
    return points.square().sum(1)


def _pair_distances(x: PointSet, i: Tensor, y: PointSet, j: Tensor) -> Tensor:
    """Compute squared distances of pairs from the differences, float64 with shape (n,)."""
    chunk_size = max(1, _MAX_PAIR_ELEMENTS // x.features.shape[1])
    chunks = [
        (x.features[i_chunk].double() - y.features[j_chunk].double()).div_(x.unit).square_().sum(1)
        for i_chunk, j_chunk in zip(i.split(chunk_size), j.split(chunk_size))
    ]
    return torch.cat(chunks)


def _list_blocks(points: PointSet, dtype: torch.dtype) -> list[_Block]:
    """Centre all blocks once, which would take a tenth of the time of all products otherwise."""
    return [points.block(rows, dtype) for rows in _blocks(points)]


def _blocks(points: PointSet | Tensor) -> list[slice]:
    starts = range(0, len(points), BLOCK_SIZE)
    return [slice(start, min(start + BLOCK_SIZE, len(points))) for start in starts]
