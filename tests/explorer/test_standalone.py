"""Pages that stand alone, opened as files in a real browser."""

import io
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from iidgan.cli import main
from iidgan.explorer.network_format import NetworkFormat
from iidgan.explorer.onnx_format import create_onnx_format
from iidgan.explorer.pictures import encode_values
from iidgan.explorer.script_format import SCRIPT_FORMAT
from iidgan.explorer.session import ExplorerSession
from iidgan.explorer.standalone import Contents, write_standalone_page
from tests.helpers.errors import raises_input_error

RUNTIME = os.environ.get("IIDGAN_ONNXRUNTIME_WEB", "")
"""Folder of onnxruntime-web."""
POINTS, IMAGES = "0", "1"


def expose_backend(network_format: NetworkFormat) -> NetworkFormat:
    """Let tests ask what the page asks."""
    start = network_format.start.replace("start(local", "start(window.backend = local")
    return replace(network_format, start=start)


def create_script_format():
    return SCRIPT_FORMAT


def create_runtime_format():
    if not RUNTIME:
        pytest.skip("needs IIDGAN_ONNXRUNTIME_WEB, the folder of onnxruntime-web")
    return create_onnx_format(Path(RUNTIME))


class StandalonePage:
    """A page that was opened from its file, and all that went wrong on it."""

    def __init__(self, browser, path):
        self.page = browser.new_page()
        self.problems, self.requests = [], []
        self.page.on("console", lambda message: self.problems.append(message.text))
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("#content .card:visible")

    def ask(self, name, question):
        """Ask the backend; arrays become typed arrays, and typed arrays lists."""
        return self.page.evaluate(
            """async ([name, { codes, picture, point, ...question }]) => {
                if (codes) question.codes = Float32Array.from(codes);
                if (picture) question.sample = new Blob([Uint8Array.from(picture)]);
                if (point) question.sample = Float32Array.from(point);
                const answer = await window.backend[name](question);
                const isArray = (value) => ArrayBuffer.isView(value);
                return JSON.parse(
                    JSON.stringify(answer, (key, value) => isArray(value) ? [...value] : value)
                );
            }""",
            [name, question],
        )


@pytest.fixture(scope="module", params=[create_script_format, create_runtime_format])
def page(request, browser, point_run, image_run, tmp_path_factory):
    """A page with both runs, computed by plain script and by onnxruntime-web."""
    path = tmp_path_factory.mktemp("page") / "page.html"
    network_format = expose_backend(request.param())
    session = ExplorerSession([point_run, image_run])
    write_standalone_page(path, session, Contents(), network_format)
    standalone = StandalonePage(browser, path)
    yield standalone
    standalone.page.close()


def find_place(session, run):
    entry = session.describe({})["runs"][int(run)]["seeds"][0]
    return {"run": run, "seed": entry["seed"], "step": entry["steps"][-1]}


@pytest.mark.slow
def test_page_generates_images_of_the_model(page, session):
    place = find_place(session, IMAGES)
    model = session.load_model(place)
    codes = model.sample_prior(5)
    question = place | {"codes": codes.flatten().tolist(), "count": 5}
    expected = encode_values(model.generate(codes)).astype(int).ravel()
    assert np.abs(np.array(page.ask("generate", question)) - expected).max() <= 1


@pytest.mark.slow
def test_page_generates_points_of_the_model(page, session):
    place = find_place(session, POINTS)
    model = session.load_model(place)
    codes = model.sample_prior(7)
    question = place | {"codes": codes.flatten().tolist(), "count": 7}
    points = torch.tensor(page.ask("generate", question)).view(7, 2)
    torch.testing.assert_close(points, model.generate(codes), rtol=1e-5, atol=1e-5)


def draw_picture():
    """A picture in colours that is larger than the images of the run, partly transparent."""
    y, x = np.mgrid[:45, :61]
    channels = [4 * x, 5 * y, 255 - 4 * x, np.where(x > y, 255, 90)]
    buffer = io.BytesIO()
    Image.fromarray(np.stack(channels, 2).astype(np.uint8)).save(buffer, "png")
    return buffer.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("label", [None, 1])
def test_page_inverts_pictures_as_the_session(page, session, label):
    place = find_place(session, IMAGES) | {"label": label, "refine": 0}
    content = draw_picture()
    expected = session.invert(place | {"sample": np.frombuffer(content, np.uint8)})
    answer = page.ask("invert", place | {"picture": list(content)})
    difference = np.array(answer["input"]) - expected["input"].astype(int).ravel()
    assert np.abs(difference).max() <= 1
    (stage,), (expected_stage,) = answer["stages"], expected["stages"]
    np.testing.assert_allclose(stage["code"], expected_stage["code"], atol=0.05)
    assert stage["error"] == pytest.approx(expected_stage["error"], rel=0.02)
    assert stage["quantile"] == pytest.approx(expected_stage["quantile"], rel=0.05, abs=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("point", [[0.3, -1.0], [30.0, 0.0], [0.0, 0.0]])
def test_page_inverts_points_as_the_session(page, session, point):
    place = find_place(session, POINTS) | {"label": None, "refine": 0}
    expected = session.invert(place | {"sample": np.array(point, np.float32)})["stages"][0]
    (stage,) = page.ask("invert", place | {"point": point})["stages"]
    np.testing.assert_allclose(stage["code"], expected["code"], rtol=1e-4, atol=1e-5)
    for name in ("error", "quantile"):
        assert stage[name] == pytest.approx(expected[name], rel=1e-3, abs=1e-5)


@pytest.mark.slow
def test_page_knows_what_the_session_knows(page, session):
    place = find_place(session, POINTS)
    plane, expected = page.ask("plane", place), session.describe_plane(place)
    np.testing.assert_allclose(plane["codes"], expected["codes"].ravel())
    np.testing.assert_allclose(plane["density"]["values"], expected["density"]["values"].ravel())
    directions, expected_directions = page.ask("directions", place), session.find_directions(place)
    assert [d["name"] for d in directions] == [d["name"] for d in expected_directions]
    assert page.ask("history", {"run": POINTS}) == session.read_history({"run": POINTS})
    runs = page.ask("describe", {})["runs"]
    assert [run["hasNeighbours"] for run in runs] == [False, False]


@pytest.mark.slow
def test_page_has_no_problem_and_asks_for_nothing(page):
    assert page.problems == []
    outside = [url for url in page.requests if not url.startswith(("file:", "blob:", "data:"))]
    assert outside == []
    assert len([url for url in page.requests if url.startswith("file:")]) == 1


@pytest.mark.slow
def test_refinement_reaches_the_error_of_the_session(browser, session, point_run, tmp_path):
    path = tmp_path / "page.html"
    format_ = expose_backend(SCRIPT_FORMAT)
    write_standalone_page(path, ExplorerSession([point_run]), Contents(), format_)
    place = find_place(session, POINTS) | {"label": None, "refine": 30}
    page = StandalonePage(browser, path)
    first, refined = page.ask("invert", place | {"point": [0.3, -1.0]})["stages"]
    expected = session.invert(place | {"sample": np.array([0.3, -1.0], np.float32)})
    assert refined["error"] < first["error"]
    assert refined["error"] == pytest.approx(expected["stages"][1]["error"], rel=1e-2, abs=1e-6)
    np.testing.assert_allclose(refined["code"], expected["stages"][1]["code"], atol=1e-2)
    page.page.close()


@pytest.mark.slow
def test_explore_writes_a_page_on_which_a_picture_is_inverted(
    image_run, browser, tmp_path, capsys
):
    path, picture = tmp_path / "page.html", tmp_path / "picture.png"
    picture.write_bytes(draw_picture())
    options = ("--out", str(path), "--seeds", "0", "--checkpoints", "all")
    assert main(["explore", str(image_run), *options]) == 0
    assert capsys.readouterr().out.startswith(f"{path}: ")
    assert str(image_run.parent) not in path.read_text()
    standalone = StandalonePage(browser, path)
    standalone.page.set_input_files("input[type=file]", picture)
    standalone.page.wait_for_selector(".result canvas >> nth=2")  # the refined one
    assert standalone.problems == []
    assert standalone.page.get_by_label("Checkpoint", exact=True).is_visible()
    assert "stands alone" in standalone.page.inner_text("body")
    standalone.page.close()


def test_page_refuses_contents(session, point_run, tmp_path, capsys):
    with raises_input_error("seeds", 7, "0, 1"):
        write_standalone_page(tmp_path / "page.html", session, Contents(seeds=[7]), SCRIPT_FORMAT)
    with raises_input_error("runtime", "ort.wasm.bundle.min.mjs", "npm install"):
        create_onnx_format(tmp_path)
    assert main(["explore", str(point_run), "--out", "page.pdf"]) == 2
    assert ".html" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
