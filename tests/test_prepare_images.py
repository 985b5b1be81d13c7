"""Images of one's own: every kind of file, labels from folders and tables, sizes, order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from iidgan.data.prepare import prepare
from iidgan.data.prepare.decode import SUFFIXES, convert
from iidgan.data.prepare.reader import Item
from iidgan.data.prepare.resize import Rule
from iidgan.errors import InputError
from tests.helpers.images import arrays, encoded, pixels, put, zipped


@pytest.fixture(autouse=True)
def _home(monkeypatch, tmp_path):
    monkeypatch.setenv("IIDGAN_DATA", str(tmp_path / "home"))


def one(content, rule=Rule(size=8)):  # noqa: B008 - frozen
    """What becomes of one image."""
    found = convert([Item("x", content)], rule)
    assert found.skipped == []
    return found.pixels[0]


def reason(content, rule=Rule(size=8)):  # noqa: B008
    (skip,) = convert([Item("x", content)], rule).skipped
    return str(skip)


PICTURE = pixels(1)[0]  # 8 x 8, RGB
WANTED = PICTURE.transpose(2, 0, 1)
GREY = pixels(1, 8, 1)[0, ..., 0]

# Modes


@pytest.mark.parametrize("kind", ["PNG", "BMP", "PPM", "TIFF", "WEBP", "GIF", "JPEG2000"])
def test_lossless_files_keep_every_pixel(kind):
    options = {"WEBP": {"lossless": True}, "GIF": {}}.get(kind, {})
    image = Image.fromarray(PICTURE)
    if kind == "GIF":  # has 256 colours at most, and these are 64
        image = image.convert("P", palette=Image.Palette.ADAPTIVE, colors=256)
    assert np.array_equal(one(encoded(image, kind, **options)), WANTED)


def test_grey_images_have_one_channel():
    for image in (GREY, Image.fromarray(GREY).convert("LA")):
        assert np.array_equal(one(encoded(image)), GREY[None])
    black_and_white = Image.fromarray(GREY > 127)
    assert np.array_equal(one(encoded(black_and_white)), 255 * (GREY > 127)[None].astype(np.uint8))


def test_deep_grey_images_lose_their_low_bits():
    deep = GREY.astype(np.uint16) << 8 | 77
    assert np.array_equal(one(encoded(Image.fromarray(deep))), GREY[None])
    assert np.array_equal(one(encoded(Image.fromarray(deep), "TIFF")), GREY[None])


def test_wide_grey_images_keep_values_of_8_bits():
    wide = Image.fromarray(GREY.astype(np.int32))
    assert wide.mode == "I"
    assert np.array_equal(one(encoded(wide, "TIFF")), GREY[None])
    deeper = Image.fromarray(GREY.astype(np.int32) << 8)
    assert np.array_equal(one(encoded(deeper, "TIFF")), GREY[None])
    dark = Image.fromarray(np.full((8, 8), 255, np.uint16))  # of 65,535
    for kind in ("PNG", "PPM", "TIFF"):
        assert one(encoded(dark, kind)).max() == 0


def test_transparent_pixels_are_seen_over_white():
    alpha = np.zeros((8, 8, 1), np.uint8)
    alpha[:4] = 255
    found = one(encoded(Image.fromarray(np.concatenate([PICTURE, alpha], 2))))
    assert np.array_equal(found[:, :4], WANTED[:, :4])
    assert found[:, 4:].min() == 255
    half = Image.new("RGBA", (8, 8), (0, 0, 0, 128))
    assert set(one(encoded(half)).ravel().tolist()) == {127}
    grey = Image.fromarray(np.stack([GREY, alpha[..., 0]], 2), "LA")
    assert np.array_equal(one(encoded(grey))[0, :4], GREY[:4])
    assert one(encoded(grey)).shape == (1, 8, 8)


def test_palettes_are_looked_up_and_may_be_transparent():
    image = Image.fromarray(GREY % 3, "P")
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    colours = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255]], np.uint8)
    assert np.array_equal(one(encoded(image)), colours[GREY % 3].transpose(2, 0, 1))
    found = one(encoded(image, transparency=1))
    assert (found.transpose(1, 2, 0)[GREY % 3 == 1] == 255).all()
    assert (found.transpose(1, 2, 0)[GREY % 3 == 2] == colours[2]).all()


def test_cmyk_becomes_rgb():
    image = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    found = one(encoded(image, "TIFF"))
    assert found[:, 0, 0].tolist() == [255, 0, 0]
    found = one(encoded(image, "JPEG", quality=95)).astype(int)
    assert abs(found[:, 4, 4] - [255, 0, 0]).max() < 8


@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_are_turned_as_exif_says(orientation):
    image, exif = Image.fromarray(PICTURE), Image.Exif()
    exif[0x0112] = orientation
    turned = np.asarray(ImageOps.exif_transpose(_with(image, exif)))
    found = one(encoded(image, "PNG", exif=exif))
    assert np.array_equal(found, turned.transpose(2, 0, 1))
    assert np.array_equal(found, WANTED) == (orientation == 1)


def _with(image, exif):
    copy = image.copy()
    copy.getexif().update(exif)
    return copy


def test_damaged_exif_does_no_harm():
    content = encoded(Image.fromarray(PICTURE), "PNG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert np.array_equal(one(content), WANTED)


def test_the_first_frame_of_several_is_taken():
    frames = [Image.fromarray(pixels(1, seed=s)[0]) for s in range(3)]
    content = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    assert np.array_equal(one(content), np.asarray(frames[0]).transpose(2, 0, 1))


# Sizes


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([4, 8, 16]))
@settings(max_examples=40, deadline=None)
def test_every_size_becomes_the_one_asked_for(width, height, size):
    image = np.full((height, width, 3), 90, np.uint8)
    found = one(encoded(Image.fromarray(image)), Rule(size=size))
    assert found.shape == (3, size, size)
    assert set(found.ravel().tolist()) == {90}


def test_what_is_cut_off_leaves_no_trace():
    """The filter reads nothing from beyond the square."""
    image = np.zeros((30, 90, 3), np.uint8)
    image[:, 30:60] = 200
    assert set(one(encoded(Image.fromarray(image)), Rule(size=8)).ravel().tolist()) == {200}


def test_shrinking_is_antialiased():
    stripes = np.tile(np.array([0, 255], np.uint8), (64, 32))
    found = one(encoded(Image.fromarray(stripes)), Rule(size=8)).astype(int)
    assert abs(found - 127).max() <= 5  # a filter that skips pixels would give 0 or 255


def test_images_that_are_enlarged_are_counted():
    items = [Item(str(side), encoded(pixels(1, side)[0])) for side in (4, 7, 8, 9, 100)]
    assert convert(items, Rule(size=8)).enlarged == 2
    assert convert(items, Rule(size=8, crop=5)).enlarged == 5


# Folders and archives


def folder_files():
    images = [encoded(image) for image in pixels(6)]
    names = ("dog/1.png", "cat/2.png", "cat/deep/3.PNG", "bird/10.png", "bird/9.png", "dog/0.png")
    return dict(zip(names, images))


@pytest.mark.parametrize("pack", [put, zipped])
@pytest.mark.parametrize("prefix", ["", "photos/2024/"])
def test_first_folders_give_labels_whatever_all_lie_in(tmp_path, pack, prefix):
    files = {prefix + name: content for name, content in folder_files().items()}
    files |= {prefix + ".DS_Store": "x", "__MACOSX/dog/._1.png": "x", prefix + "readme.txt": "hi"}
    outcome = prepare("pets", origin=str(pack(tmp_path / "pets", files)), size=8)
    images, labels = arrays(outcome)
    assert outcome.manifest.labels == ("bird", "cat", "dog")
    assert labels.tolist() == [0, 0, 1, 1, 2, 2]
    assert outcome.skipped == ()
    expected = pixels(6)[[3, 4, 1, 2, 5, 0]]
    assert np.array_equal(images, expected.transpose(0, 3, 1, 2))


def test_images_in_one_folder_have_no_labels(tmp_path):
    files = {f"all/{i}.png": encoded(image) for i, image in enumerate(pixels(3))}
    outcome = prepare("x", origin=str(put(tmp_path / "x", files)))
    assert arrays(outcome)[1] is None
    assert outcome.manifest.label_counts == ()


def test_images_beside_the_folders_that_give_labels_are_told(tmp_path):
    files = folder_files() | {"stray.png": encoded(PICTURE)}
    place = str(put(tmp_path / "x", files))
    with pytest.raises(InputError, match=r"labels: 1 of 7 images lie in no folder .* stray\.png"):
        prepare("x", origin=place)
    outcome = prepare("x", origin=place, labels="none")
    assert (outcome.manifest.count, arrays(outcome)[1]) == (7, None)


def test_parts_of_a_set_are_no_labels(tmp_path):
    parts = {
        f"{part}/{name}": x for part in ("Train", "test") for name, x in folder_files().items()
    }
    place = put(tmp_path / "x", parts)
    with pytest.raises(
        InputError, match=rf"folders Train, test are parts of a set, .* such as {place}/Train, or"
    ):
        prepare("x", origin=str(place))
    assert prepare("x", origin=str(place / "test")).manifest.labels == ("bird", "cat", "dog")
    asked = prepare("y", origin=str(place), labels="folders")
    assert asked.manifest.labels == ("Train", "test")


def test_parts_within_an_archive_are_named_by_where_they_would_lie(tmp_path):
    parts = ("train", "test")
    files = {f"set/{part}/{name}": x for part in parts for name, x in folder_files().items()}
    place = zipped(tmp_path / "x.zip", files)
    with pytest.raises(InputError, match="such as set/train where the archive is unpacked, or"):
        prepare("x", origin=str(place))


TABLES = {
    "paths": "cat/2.png,c\ndog/1.png,d\n",
    "head": "label,File\nc,cat/2.png\nd,dog/1.png\n",
    "ends": "id,weight,class\n2,0.5,c\n1.png,0.1,d\n",
    "spaces and a mark": "\ufefffile_name, label\r\ncat/2.png , c \r\ndog/1.png,d\r\n\r\n",
    "semicolons": "cat/2.png;c\n\ndog/1.png;d\n",
    "tabs": "file\tlabel\ncat/2.png\tc\ndog/1.png\td\n",
    "two columns, one known": "picture,label\ncat/2.png,c\ndog/1.png,d\n",
    "from here": "./cat/2.png,c\n./dog/1.png,d\n",
    "twice the same": "cat/2.png,c\n2,c\ndog/1.png,d\n",
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
@pytest.mark.parametrize("inside", [True, False])
def test_a_table_gives_labels(tmp_path, table, inside):
    files = {name: folder_files()[name] for name in ("dog/1.png", "cat/2.png", "bird/9.png")}
    table_file = put(tmp_path, {"y.csv": table}) / "y.csv"
    place = put(tmp_path / "x", files | ({"labels.csv": table} if inside else {}))
    labels = None if inside else str(table_file)
    outcome = prepare("x", origin=str(place), size=8, labels=labels)
    assert (outcome.manifest.labels, arrays(outcome)[1].tolist()) == (("c", "d"), [0, 1])
    assert [str(skip) for skip in outcome.skipped] == ["bird/9.png: has no label"]


def test_lines_that_name_no_image_are_told(tmp_path):
    table = "cat/2.png,c\ngone.png,d\nlost.png,d\n"
    told, place = [], put(tmp_path / "x", folder_files() | {"labels.csv": table})
    prepare("x", origin=str(place), news=told.append)
    assert told == ["labels.csv: 2 lines name no image, such as 'gone.png'"]


@pytest.mark.parametrize(
    "table",
    [
        "id,filename,label\n1,2.png,b\n2,1.png,a\n",
        "name,file,label\nfoo,1.png,a\nbar,2.png,b\n",
        "1.png,a\n  \n2.png,b\n   \n",
        "1.png,a\r2.png,b\r",
        "1.png;a\n2.png;b\n".encode("utf-16"),
    ],
    ids=["ids that are names of others", "names", "blank lines", "old Mac", "UTF-16"],
)
def test_tables_as_they_come(tmp_path, table):
    files = {f"{i}.png": encoded(PICTURE) for i in (1, 2)} | {"labels.csv": table}
    outcome = prepare("x", origin=str(put(tmp_path / "x", files)), size=8)
    assert (outcome.manifest.labels, arrays(outcome)[1].tolist()) == (("a", "b"), [0, 1])


def test_a_first_line_that_names_an_image_is_no_head(tmp_path):
    files = {f"{i}.png": encoded(PICTURE) for i in (1, 2)} | {"labels.csv": "1.png,y\n2.png,x\n"}
    outcome = prepare("x", origin=str(put(tmp_path / "x", files)), size=8)
    assert (outcome.manifest.labels, arrays(outcome)[1].tolist()) == (("x", "y"), [1, 0])


def test_files_of_other_kinds_are_told(tmp_path):
    names = ("1.png", "a.heic", "b.heic", "c", ".hidden", "r.txt")
    place = put(tmp_path / "x", {name: encoded(PICTURE) for name in names})
    told = []
    assert prepare("x", origin=str(place), news=told.append).manifest.count == 1
    assert told == [
        "3 files of other kinds are no images to be read (2 .heic, 1 without a suffix)"
    ]


def test_links_to_folders_of_labels_are_followed(tmp_path):
    place = put(tmp_path / "x", {"b/1.png": encoded(PICTURE)})
    other = put(tmp_path / "elsewhere", {"2.png": encoded(PICTURE)})
    (place / "a").symlink_to(other)
    (place / "b" / "up").symlink_to(place)  # a loop
    assert prepare("x", origin=str(place)).manifest.labels == ("a", "b")


TALL = f"0,10\n1,9\n2,1{'0' * 5000}\n"


def test_labels_that_are_numbers_are_ordered_by_value(tmp_path):
    files = {f"{i}.png": encoded(PICTURE) for i in range(3)} | {"labels.csv": TALL}
    outcome = prepare("x", origin=str(put(tmp_path / "x", files)))
    assert outcome.manifest.labels == ("9", "10", f"1{'0' * 5000}")
    assert arrays(outcome)[1].tolist() == [1, 0, 2]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("", "each line needs two columns"),
        ("0.png,a\n \n1.png\n", "line 3: '1.png': each line needs two columns"),
        (",image,breed\n0,0.png,a\n", "has the columns '', 'image', 'breed'; which two are meant"),
        ("x,y,z\n0.png,a,b\n", "has the columns 'x', 'y', 'z'; .* and one of labels 'label'"),
        ("file,label,label\n0.png,a,b\n", "has the columns 'file', 'label', 'label'"),
        ("file,x,label\n1.png,2\n", "line 2: has no label: '1.png,2'"),
        ("a.png,1\nb.png,2\n", "names none of the 6 images; it has 'a.png', they are like"),
        ("file,y\n\n0.png,a\n0,b\n", "line 4: '0' is 'b' here, and 'a' above"),
        (b"\xff\xfe\x00", "is no CSV file"),
    ],
)
def test_tables_that_give_no_labels_are_refused(tmp_path, table, message):
    place = put(tmp_path / "x", folder_files() | {"labels.csv": table})
    with pytest.raises(InputError, match=f"labels: labels.csv[:,]? {message}"):
        prepare("x", origin=str(place))


def test_a_table_that_is_not_there_is_refused(tmp_path):
    place = str(put(tmp_path / "x", folder_files()))
    with pytest.raises(InputError, match=r"labels: 'y\.csv' is not none, folders, or a CSV file"):
        prepare("x", origin=place, labels="y.csv")


def test_grey_images_become_coloured_beside_coloured_ones(tmp_path):
    files = {f"{i:03}.png": encoded(image) for i, image in enumerate(pixels(150, 8, 1))}
    grey = prepare("grey", origin=str(put(tmp_path / "x", files)), size=8)
    assert np.array_equal(arrays(grey)[0], pixels(150, 8, 1).transpose(0, 3, 1, 2))
    put(tmp_path / "x", {"149.png": encoded(PICTURE)})
    both = arrays(prepare("both", origin=str(tmp_path / "x"), size=8))[0]
    assert np.array_equal(both[:149], arrays(grey)[0][:149].repeat(3, 1))
    assert np.array_equal(both[149], WANTED)


def test_known_suffixes_are_those_of_formats_that_are_read():
    Image.init()
    known = {suffix for suffix, kind in Image.registered_extensions().items() if kind != "TGA"}
    assert SUFFIXES - {".jpe", ".jfif", ".avif"} <= known
