"""The server: whom it answers, and what it refuses."""

import socket

import numpy as np
import pytest

from iidgan.explorer.wire import decode_json, encode_json
from tests.helpers.errors import raises_input_error

pytest.importorskip("starlette", reason="the extra explore is not installed")
pytest.importorskip("httpx")

from starlette.testclient import TestClient

from iidgan.explorer import server
from iidgan.explorer.server import HEADERS, create_app, serve

pytestmark = pytest.mark.slow

TOKEN, PORT = "secret", 8123
OWN = f"http://127.0.0.1:{PORT}"
PLACE = {"run": "0", "seed": 0, "step": 12}


@pytest.fixture
def client(session):
    return TestClient(create_app(session, token=TOKEN, port=PORT), base_url=OWN)


def ask(client, name, question, **options):
    content = encode_json(question)
    return client.post(f"/{TOKEN}/ask/{name}", content=content, **options)


def test_page_has_its_policy_as_a_header(client):
    response = client.get(f"/{TOKEN}/")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "connect-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert (
        HEADERS.items()
        <= {name.title(): value for name, value in response.headers.items()}.items()
    )


@pytest.mark.parametrize(
    ("name", "question"),
    [
        ("describe", {}),
        ("generate", PLACE | {"codes": np.zeros(4, np.float32), "count": 2}),
        ("directions", PLACE),
        ("invert", PLACE | {"sample": np.zeros(2, np.float32), "label": None, "refine": 1}),
        ("neighbours", PLACE | {"sample": np.zeros(2, np.float32)}),
        ("plane", PLACE),
        ("history", {"run": "0"}),
    ],
)
def test_every_question_is_answered(client, name, question):
    response = ask(client, name, question)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert decode_json(b'{"answer": %s}' % response.content)["answer"] is not None


def test_generated_samples_are_sent_as_numbers(client, session):
    question = PLACE | {"codes": np.ones(4, np.float32), "count": 2}
    answer = decode_json(b'{"x": %s}' % ask(client, "generate", question).content)["x"]
    np.testing.assert_array_equal(answer, session.answer("generate", question).flatten())


@pytest.mark.parametrize("token", ["", "wrong", f"{TOKEN}x"])
def test_other_tokens_find_nothing(client, token):
    assert client.get(f"/{token}/").status_code == 404
    assert client.post(f"/{token}/ask/describe", content="{}").status_code == 404


def test_address_without_token_finds_nothing(client):
    assert client.get("/").status_code == 404
    assert client.post("/ask/describe", content="{}").status_code == 404


@pytest.mark.parametrize(
    "host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1", "127.0.0.1:80", "localhost", ""]
)
def test_other_hosts_are_refused(client, host):
    assert client.get(f"/{TOKEN}/", headers={"Host": host}).status_code == 403
    assert ask(client, "describe", {}, headers={"Host": host}).status_code == 403


def test_localhost_is_the_own_host(client):
    assert client.get(f"/{TOKEN}/", headers={"Host": f"localhost:{PORT}"}).status_code == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", f"https://127.0.0.1:{PORT}", "http://127.0.0.1", "null", ""]
)
def test_other_origins_are_refused(client, origin):
    assert ask(client, "describe", {}, headers={"Origin": origin}).status_code == 403


def test_own_origin_is_answered(client):
    assert ask(client, "describe", {}, headers={"Origin": OWN}).status_code == 200


def test_questions_are_not_asked_by_links(client):
    assert client.get(f"/{TOKEN}/ask/describe").status_code == 405
    assert client.post(f"/{TOKEN}/").status_code == 405


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [("describe", "no JSON", "JSON"), ("nothing", "{}", "nothing"), ("plane", "{}", "run")],
)
def test_invalid_questions_get_one_line(client, name, content, word):
    response = client.post(f"/{TOKEN}/ask/{name}", content=content)
    assert response.status_code == 400
    error = response.json()["error"]
    assert word in error
    assert "\n" not in error


def test_size_of_questions_is_bounded(client, monkeypatch):
    monkeypatch.setattr(server, "MAX_BODY_BYTES", 100)
    response = ask(client, "describe", {"padding": "x" * 200})
    assert response.status_code == 400
    assert "100 bytes" in response.json()["error"]


def test_port_in_use_is_refused(session):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with raises_input_error("port", port):
            serve(session, port=port, on_ready=lambda address: None)
