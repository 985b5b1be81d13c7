"""The record of how features were computed; numbers of different protocols are not comparable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from iidgan.core.typed_fields import TypedFields
from iidgan.errors import InputError


@dataclass(frozen=True, kw_only=True)
class FeatureProtocol(TypedFields):
    """Everything about the computation of features that changes their values.

    Arguments:
        extractor: Name of the extractor.
        weights: SHA-256 of the file of its weights, or of the tensors of a network that has none.
        num_features: Number D of features of an image.
        input_size: Height and width that images are resized to; None if they are not resized.
        resize_filter: Interpolation, such as `bicubic`.
        resize_kernel: Its kernel and grid. A bicubic kernel has a = -0.5 in Pillow and in torch
            with antialiasing, and a = -0.75 in torch without.
        resize_arithmetic: `uint8` (rounds and clips between the two axes, as Pillow does) or
            `float32`.
        value_range: What black and white become.

    Examples:
        >>> protocol = FeatureProtocol(
        ...     extractor="pixels",
        ...     weights="",
        ...     num_features=3072,
        ...     input_size=(32, 32),
        ...     resize_filter="bicubic",
        ...     resize_kernel="a = -0.5, antialiased",
        ...     resize_arithmetic="float32",
        ...     value_range=(0.0, 1.0),
        ... )
        >>> FeatureProtocol.from_dict(protocol.to_dict()) == protocol
        True
        >>> from dataclasses import replace
        >>> protocol.differing_field(replace(protocol, input_size=(64, 64)))
        'input_size'
    """

    extractor: str
    weights: str
    num_features: int
    input_size: tuple[int, int] | None
    resize_filter: str
    resize_kernel: str
    resize_arithmetic: str
    value_range: tuple[float, float]

    def differing_field(self, other: FeatureProtocol) -> str | None:
        """Return the name of the first field that differs between two protocols, or None.

        Arguments:
            other: The other protocol.
        """
        for field in fields(self):
            if getattr(self, field.name) != getattr(other, field.name):
                return field.name
        return None

    def check_comparable(self, other: FeatureProtocol, other_name: str) -> None:
        """Check that features of another protocol can be compared with features of this one.

        Arguments:
            other: The other protocol.
            other_name: What the other features are of, with which the message starts.

        Raises:
            InputError: The protocols differ; the message names the first field that does.
        """
        if field := self.differing_field(other):
            expected, got = getattr(self, field), getattr(other, field)
            raise InputError(
                f"{other_name}: its features are not comparable: expected {field} {expected!r}, "
                f"got {got!r}; extract both in the same way"
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name, as values of JSON."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> FeatureProtocol:
        """Create the protocol from the values of `to_dict`.

        Arguments:
            values: The values, perhaps from a file.

        Raises:
            InputError: They are not those of a protocol.
        """
        names = [field.name for field in fields(cls)]
        if sorted(values) != sorted(names):
            raise InputError(
                f"protocol: expected the fields {', '.join(names)}, got {', '.join(values)}"
            )
        arguments: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in values.items()
        }
        return cls(**arguments)
