"""The server of the page: on this machine alone, for whoever has the address with its token."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from iidgan.errors import InputError
from iidgan.explorer.page_text import render_page
from iidgan.explorer.session import ExplorerSession
from iidgan.explorer.wire import decode_json, encode_json

HOST = "127.0.0.1"
HOST_NAMES = (HOST, "localhost")
MAX_BODY_BYTES = 2**25
"""Largest question, in bytes: a picture of some 24 MB."""
GRACE_SECONDS = 1
"""How long the end of the server waits for answers."""
START = """\
import { serverBackend } from "./backend.js";
import { start } from "./main.js";
start(serverBackend("ask/"));
"""
HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def create_app(session: ExplorerSession, *, token: str, port: int) -> Starlette:
    """Create the application: the page at `/TOKEN/`, and questions at `/TOKEN/ask/NAME`.

    Arguments:
        session: Answers the questions.
        token: Secret part of the address.
        port: Port of the server, which the header `Host` has to name.
    """
    page = render_page(START, connect="'self'")
    headers = HEADERS | {"Content-Security-Policy": f"{page.policy}; frame-ancestors 'none'"}

    async def show_page(request: Request) -> Response:
        return HTMLResponse(page.html, headers=headers)

    async def answer_question(request: Request) -> Response:
        try:
            question = decode_json(await _read_body(request))
            name = request.path_params["name"]
            answer = await run_in_threadpool(session.answer, name, question)
        except InputError as error:
            return _json_response({"error": " ".join(str(error).split())}, 400)
        return _json_response(answer)

    return Starlette(
        routes=[
            Route(f"/{token}/", show_page),
            Route(f"/{token}/ask/{{name}}", answer_question, methods=["POST"]),
        ],
        middleware=[Middleware(_RequestGuard, port=port)],
    )


def _json_response(answer: object, status: int = 200) -> Response:
    return Response(encode_json(answer), status, HEADERS, media_type="application/json")


async def _read_body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise InputError(f"question: must have at most {MAX_BODY_BYTES:,} bytes")
    return bytes(body)


class _RequestGuard:
    """Refuses requests that pages of other origins have caused.

    A name of another host that resolves to this machine (DNS rebinding) is in `Host`; a page of
    another origin that sends a question is in `Origin`.
    """

    def __init__(self, app: ASGIApp, *, port: int) -> None:
        self.app = app
        self.hosts = {f"{name}:{port}" for name in HOST_NAMES}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._is_own(Request(scope)):
            response = Response("forbidden\n", 403, HEADERS, media_type="text/plain")
            await response(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _is_own(self, request: Request) -> bool:
        host, origins = request.headers.get("host"), request.headers.getlist("origin")
        return host in self.hosts and all(origin == f"http://{host}" for origin in origins)


def serve(session: ExplorerSession, *, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve the page until the process is interrupted.

    Arguments:
        session: Answers the questions.
        port: The port; 0 chooses a free one.
        on_ready: Called with the address once the port is open.

    Raises:
        InputError: The port cannot be used.
    """
    with _open_socket(port) as listener:
        number = listener.getsockname()[1]
        token = secrets.token_urlsafe(24)
        app = create_app(session, token=token, port=number)
        config = uvicorn.Config(
            app,
            log_level="error",
            lifespan="off",
            ws="none",
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        on_ready(f"http://{HOST}:{number}/{token}/")
        uvicorn.Server(config).run(sockets=[listener])


def _open_socket(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"port: {port} cannot be used ({reason}); choose another one, or 0 for a free one"
        ) from None
    return listener
