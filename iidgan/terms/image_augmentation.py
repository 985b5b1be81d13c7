"""The base class of terms that augment the images that D reads."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor

from iidgan.core import Batch, LossFn, Nets, NetworkFactory, NoiseShapes, Term
from iidgan.errors import InputError

Shape = tuple[int, ...]


class ImageAugmentation(Term):
    """An augmentation of real and generated images before D; subclasses are frozen dataclasses.

        D(T(x)), D(T(G(z)))

    The j-th real and the j-th generated image of a batch are augmented alike, which leaves the
    distribution of each as it would be. Other networks, F among them, read images as they are.

    Attributes:
        term_name: Name of the term in messages, and the prefix of its draws.
    """

    term_name: ClassVar[str]

    @property
    def losses(self) -> Mapping[str, LossFn]:
        return {}

    @abstractmethod
    def draw_shapes(self, shape: Shape) -> NoiseShapes:
        """Return the shapes of the normal numbers that augment one image, by name.

        Arguments:
            shape: Shape of an image, (C, H, W).
        """

    @abstractmethod
    def augment(self, images: Tensor, draws: Mapping[str, Tensor], nets: Nets) -> Tensor:
        """Augment images.

        Arguments:
            images: Images, with shape (S, B, C, H, W).
            draws: Normal numbers by name, with shapes (S, B, ...).
            nets: Networks of the method and its terms.
        """

    def noise_shapes(self, factory: NetworkFactory) -> NoiseShapes:
        if len(factory.shape) != 3 or min(factory.shape[1:]) < 2:
            raise InputError(
                f"terms: {self.term_name} augments images of shape (C, H, W), at least two pixels "
                f"high and wide, but samples have shape {factory.shape}; leave it out"
            )
        draw_shapes = self.draw_shapes(factory.shape)
        return {self._noise_name(name): shape for name, shape in draw_shapes.items()}

    def wrap_networks(self, nets: Nets, batch: Batch) -> Nets:
        if "D" not in nets:
            raise InputError(
                f"terms: {self.term_name} augments images before D, but the networks are "
                f"{', '.join(nets)}; leave it out"
            )
        return nets.with_input_map("D", lambda x: self._augment_batch(x, nets, batch))

    def _augment_batch(self, x: Tensor, nets: Nets, batch: Batch) -> Tensor:
        shape = tuple(x.shape[2:])
        if len(shape) != 3:
            raise InputError(
                f"terms: {self.term_name} augments images before D, but D reads inputs of shape "
                f"{shape}; leave it out"
            )
        draws = {
            name: batch.noise_for(self._noise_name(name), x.shape[1])
            for name in self.draw_shapes(shape)
        }
        return self.augment(x, draws, nets)

    def _noise_name(self, name: str) -> str:
        return f"{self.term_name}_{name}"
