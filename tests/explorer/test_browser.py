"""The page in a real browser."""

import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tests.explorer.test_pictures import encode_picture

pytestmark = pytest.mark.slow

MAX_SECONDS = 30


@pytest.fixture(scope="module")
def address(browser, point_run, image_run):
    """The address of a server of both runs: images are run 0."""
    command = [sys.executable, "-m", "iidgan", "explore", str(image_run), str(point_run)]
    with subprocess.Popen(
        [*command, "--no-browser"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        yield process.stdout.readline().strip()
        process.send_signal(signal.SIGINT)


@pytest.fixture
def page(browser, address):
    """The page, which afterwards has reported no error and asked nobody but its server."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    page = context.new_page()
    problems, requests = [], []
    page.on("console", lambda message: message.type == "error" and problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.add_init_script(COUNT_QUESTIONS)
    page.goto(address)
    page.get_by_role("heading", name="Samples", exact=True).wait_for()
    wait_until(page, "document.querySelector('.grid canvas').width === 8")
    settle(page)
    yield page
    context.close()
    refusals = [text for text in problems if "400 (Bad Request)" in text]
    assert problems == refusals
    assert [url for url in requests if not url.startswith((address, "data:"))] == []


CLASSES = ["0", "1"]


def wait_until(page, condition, arg=None):
    """Waits from outside the page, whose policy forbids `eval`, which `wait_for_function` uses."""
    deadline = time.monotonic() + MAX_SECONDS
    while not page.evaluate(condition, arg):
        assert time.monotonic() < deadline, condition
        page.wait_for_timeout(20)


READ_IMAGES = """selector => [...document.querySelectorAll(selector)].map(canvas => [
    ...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data])"""


def read_images(page, selector=".grid canvas"):
    """The pixels of canvases, one row for each."""
    return np.array(page.evaluate(READ_IMAGES, selector), dtype=int)


READ_URLS = "selector => [...document.querySelectorAll(selector)].map(c => c.toDataURL())"


def change(page, action, selector=".grid canvas"):
    """For each of some canvases, whether an action changes its pixels; it waits for a change."""
    before = page.evaluate(READ_URLS, selector)
    action()
    condition = f"([selector, before]) => ({READ_URLS})(selector).join() !== before.join()"
    wait_until(page, condition, [selector, before])
    settle(page)
    return [a != b for a, b in zip(before, page.evaluate(READ_URLS, selector))]


COUNT_QUESTIONS = """
    const ask = window.fetch;
    window.numPending = 0;
    window.fetch = async (...question) => {
        window.numPending += 1;
        try { return await ask(...question); } finally { window.numPending -= 1; }
    };"""
WAIT_FOR_ANSWERS = """() => new Promise(resolve => {
    let numQuiet = 0;
    const timer = setInterval(() => {
        numQuiet = window.numPending === 0 ? numQuiet + 1 : 0;
        if (numQuiet < 3) return;
        clearInterval(timer);
        resolve();
    }, 30);
})"""


def settle(page):
    """Wait for the answers to all questions, and those that follow from them."""
    page.evaluate(WAIT_FOR_ANSWERS)


def set_slider(page, label, value):
    page.get_by_label(label, exact=True).first.fill(str(value))


def test_latent_of_one_sample_changes_this_sample(page):
    changes = change(page, lambda: set_slider(page, "z 2", 3))
    assert changes == [True] + 23 * [False]


def test_direction_changes_all_samples(page):
    assert all(change(page, lambda: set_slider(page, "SeFa 1", 4)))


def test_samples_of_a_class_are_equal_at_psi_0(page):
    change(page, lambda: set_slider(page, "Truncation psi", 0))
    images = read_images(page)
    assert (images[::2] == images[0]).all()  # classes take turns
    assert (images[1::2] == images[1]).all()


def test_class_of_all_samples_is_chosen(page):
    classes = page.get_by_label("Class", exact=True)
    assert classes.locator("option").all_inner_texts() == ["each in turn", *CLASSES]
    assert list_sample_names(page)[:2] == [f"Sample {i}, {CLASSES[i]}" for i in (0, 1)]
    classes.select_option(index=2)
    settle(page)
    assert list_sample_names(page) == [f"Sample {i}, {CLASSES[1]}" for i in range(24)]


def list_sample_names(page):
    radios = page.get_by_role("radio", name=re.compile("Sample")).all()
    return [radio.get_attribute("aria-label") for radio in radios]


def test_keys_move_a_slider(page):
    slider = page.get_by_label("Truncation psi")
    slider.focus()
    change(page, lambda: slider.press("ArrowLeft"))
    assert slider.input_value() == "0.95"
    assert slider.get_attribute("aria-valuetext") == "0.95"


def test_keys_select_a_sample(page):
    first, second = (page.get_by_role("radio", name=re.compile(f"Sample {i},")) for i in (0, 1))
    first.focus()
    first.press("ArrowRight")
    assert second.get_attribute("aria-checked") == "true"
    assert second.evaluate("element => element === document.activeElement")
    changes = change(page, lambda: set_slider(page, "z 0", -3))
    assert changes == [False, True] + 22 * [False]


def test_checkpoint_changes_samples(page):
    change(page, lambda: set_slider(page, "Checkpoint", 0))
    assert page.get_by_label("Checkpoint", exact=True).get_attribute("aria-valuetext") == "step 1"


def test_pad_moves_two_latents(page):
    pad = page.locator(".pad-canvas")
    box = pad.bounding_box()
    middle = {"x": box["width"] / 2, "y": box["height"] / 2}
    change(page, lambda: pad.click(position=middle), ".large canvas")
    assert abs(float(page.get_by_label("z 0", exact=True).first.input_value())) < 0.1
    page.get_by_label("Polar").check()
    set_slider(page, "Radius", 3)
    set_slider(page, "Angle", 90)
    values = [page.get_by_label(f"z {i}", exact=True).last.input_value() for i in (0, 1)]
    assert [round(float(value), 1) for value in values] == [0, 3]


def test_dropped_picture_is_inverted(page, tmp_path):
    pixels = np.random.default_rng(0).integers(256, size=(8, 8), dtype=np.uint8)
    picture = tmp_path / "picture.png"
    picture.write_bytes(encode_picture(pixels))
    data = page.evaluate_handle(
        """bytes => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(bytes)], "picture.png"));
            return data;
        }""",
        [*picture.read_bytes()],
    )
    page.dispatch_event(".drop", "drop", {"dataTransfer": data})
    page.get_by_role("heading", name="Nearest samples of the data").wait_for()
    own, inverse, refined, *neighbours = read_images(page, ".result canvas")
    np.testing.assert_array_equal(own.reshape(8, 8, 4)[..., 0], pixels)
    assert len(neighbours) == 8
    errors = [((image - own) ** 2).mean() for image in (inverse, refined)]
    assert errors[1] <= errors[0]
    use = page.get_by_role("button", name="Use this code").last
    change(page, use.click, ".large canvas")
    assert abs(read_images(page, ".large canvas")[0] - refined).max() <= 1


def test_other_file_is_refused_in_words(page, tmp_path):
    file = tmp_path / "notes.png"
    file.write_text("no picture")
    page.set_input_files("input[type=file]", file)
    message = page.get_by_role("alert").get_by_text("picture:")
    message.wait_for()
    assert "picture: expected an image file" in message.inner_text()


def test_two_views_show_the_same_latents(page):
    page.get_by_role("button", name="Compare with another").click()
    wait_until(page, "document.querySelectorAll('.grid').length === 2")
    settle(page)
    a, b = (read_images(page, f".view-{name} .grid canvas") for name in "ab")
    np.testing.assert_array_equal(a, b)
    checkpoint = page.locator(".place.view-b").get_by_label("Checkpoint", exact=True)
    change(page, lambda: checkpoint.fill("0"), ".view-b .grid canvas")
    np.testing.assert_array_equal(read_images(page, ".view-a .grid canvas"), a)


def test_points_are_shown_in_the_plane(page):
    page.get_by_label("Run", exact=True).select_option(index=1)
    page.get_by_role("img", name=re.compile("Data and generated samples.*modes")).wait_for()
    text = page.locator(".planes p").inner_text()
    assert re.match(r"\d of 8 modes", text)
    settle(page)
    change(page, lambda: set_slider(page, "Sample", 5), ".plane")
    page.locator(".plane").first.click()
    change(page, lambda: page.get_by_label("density").uncheck(), ".plane")


def test_curves_have_a_line_for_each_seed(page):
    page.get_by_label("Run", exact=True).select_option(index=1)
    chart = page.locator(".chart", has_text="modes_100")
    chart.wait_for()
    assert chart.locator("polyline").count() == 2
    assert "at step 12" in chart.inner_text()


LIST_NAMELESS = """() => [...document.querySelectorAll(
    "input, select, button, [role=img], [role=radiogroup], output")]
    .filter(element => !element.matches("output"))
    .filter(element => !(element.labels?.length || element.getAttribute("aria-label")
        || element.textContent.trim()))
    .map(element => element.outerHTML)"""


@pytest.mark.parametrize("run", [0, 1])
def test_every_control_has_a_name(page, run):
    page.get_by_label("Run", exact=True).select_option(index=run)
    settle(page)
    assert page.evaluate(LIST_NAMELESS) == []


@pytest.mark.parametrize("width", [400, 1000, 1600])
def test_page_fits_the_window(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    page.get_by_role("button", name="Compare with another").click()
    settle(page)
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_end_of_the_server_is_said(browser, image_run):
    command = [sys.executable, "-m", "iidgan", "explore", str(image_run), "--no-browser"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        page = browser.new_page()
        page.goto(process.stdout.readline().strip())
        page.get_by_role("heading", name="Samples", exact=True).wait_for()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
        page.get_by_role("button", name="Draw others").click()
        page.get_by_role("alert").get_by_text("does not answer").wait_for()
        page.close()
    assert process.returncode == 0
    assert errors.count("\n") == 1
