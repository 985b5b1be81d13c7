"""`iidgan explore` as a user runs it."""

import pytest

from iidgan.explorer.session import ExplorerSession
from tests.helpers.cli import fail_command, print_help, run_main

pytest.importorskip("uvicorn", reason="the extra explore is not installed")


@pytest.fixture
def served(monkeypatch):
    """The sessions that are served, and the addresses that a browser opens."""
    calls = {"sessions": [], "opened": []}

    def serve(session, *, port, on_ready):
        calls["sessions"].append(session)
        on_ready(f"http://127.0.0.1:{port}/token/")

    monkeypatch.setattr("iidgan.explorer.server.serve", serve)
    monkeypatch.setattr("iidgan.cli.explore.webbrowser.open", calls["opened"].append)
    monkeypatch.setattr("iidgan.cli.explore.Thread", StartedAtOnce)
    return calls


class StartedAtOnce:
    """A thread that does its work when it is started."""

    def __init__(self, *, target, args, daemon):
        self.start = lambda: target(*args)


@pytest.mark.slow
def test_address_is_printed_and_opened(capsys, trained_run, served):
    out = run_main(capsys, "explore", str(trained_run), "--port", "8000")
    assert out.splitlines()[0] == "http://127.0.0.1:8000/token/"
    assert served["opened"] == ["http://127.0.0.1:8000/token/"]
    assert isinstance(served["sessions"][0], ExplorerSession)


@pytest.mark.slow
def test_browser_is_not_opened(capsys, trained_run, served):
    run_main(capsys, "explore", str(trained_run), str(trained_run), "--no-browser")
    assert served["opened"] == []
    assert len(served["sessions"][0].networks) == 2


@pytest.mark.slow
def test_damaged_run_is_named(capsys, trained_run):
    (trained_run / "run.json").write_text("{}")
    assert str(trained_run) in fail_command(capsys, "explore", str(trained_run))


def test_missing_run_is_named(capsys, work_dir):
    assert "nowhere" in fail_command(capsys, "explore", "nowhere")


@pytest.mark.parametrize("port", ["-1", "65536"])
def test_port_out_of_range_is_refused(capsys, work_dir, port):
    error = fail_command(capsys, "explore", "run", "--port", port)
    assert "port" in error
    assert port in error


@pytest.mark.parametrize(
    "options", [("--seeds", "1"), ("--runtime", "dist"), ("--checkpoints", "all")]
)
def test_contents_of_a_page_need_its_file(capsys, work_dir, options):
    error = fail_command(capsys, "explore", "run", *options)
    assert options[0].strip("-") in error
    assert "--out" in error


def test_missing_extra_is_named(capsys, monkeypatch):
    monkeypatch.setattr("iidgan.utils.extras.util.find_spec", lambda name: None)
    assert "pip install 'iidgan[explore]'" in fail_command(capsys, "explore", "run")


@pytest.mark.parametrize("options", [("--port", "80"), ("--no-browser",)])
def test_options_of_the_server_are_refused_for_a_file(capsys, work_dir, options):
    error = fail_command(capsys, "explore", "run", "--out", "page.html", *options)
    assert error.startswith(f"iidgan: {options[0].removeprefix('--').removeprefix('no-')}: ")
    assert "leave out --out" in error


def test_help_names_its_options(capsys):
    text = print_help(capsys, "explore")
    assert {"--port", "--no-browser", "--plugin", "--out", "--seeds", "--runtime"} <= set(
        text.replace(",", " ").split()
    )
