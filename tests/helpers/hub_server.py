"""A hub on this machine: the requests that pushing and downloading a repository make."""

from __future__ import annotations

import base64
import json
from contextlib import contextmanager
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_POST(self):
        path = urlsplit(self.path).path
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not self.headers.get("Authorization"):
            self._answer({"error": "log in"}, status=401)
        elif path == "/api/repos/create":
            name = "{organization}/{name}".format(**json.loads(body))
            self.server.repositories.setdefault(name, {})
            self._answer({"url": f"{self.server.url}/{name}"})
        elif path == "/api/validate-yaml":
            self._answer({})
        elif "/preupload/" in path:
            names = [file["path"] for file in json.loads(body)["files"]]
            modes = {"uploadMode": "regular", "shouldIgnore": False, "oid": None}
            self._answer({"files": [{"path": name} | modes for name in names]})
        else:
            self._commit(path, body)

    def _commit(self, path, body):
        name = path.removeprefix("/api/models/").partition("/commit/")[0]
        for line in map(json.loads, body.splitlines()):
            if line["key"] == "file":
                file = line["value"]
                content = base64.b64decode(file["content"])
                self.server.repositories[name][file["path"]] = content
        url = f"{self.server.url}/{name}/commit/{COMMIT}"
        self._answer({"commitUrl": url, "commitOid": COMMIT, "hookOutput": ""})

    def do_GET(self):
        path = unquote(urlsplit(self.path).path)
        if path.startswith("/api/models/"):
            name, _, rest = path.removeprefix("/api/models/").partition("/revision/")
            name, _, tree = name.partition("/tree/")
            files = self.server.repositories.get(name)
            if files is None:
                self._answer({"error": "no such repository"}, status=404, code="RepoNotFound")
            elif tree:
                entries = [{"type": "file", "path": name} | _blob(files[name]) for name in files]
                self._answer(entries)
            else:
                siblings = [{"rfilename": name} for name in files]
                self._answer({"id": name, "sha": COMMIT, "siblings": siblings})
            return
        name, _, rest = path[1:].partition("/resolve/")
        content = self.server.repositories[name][rest.partition("/")[2]]
        self._send(content, {"ETag": f'"{_blob(content)["oid"]}"', "X-Repo-Commit": COMMIT})

    do_HEAD = do_GET  # noqa: N815

    def _answer(self, value, *, status=200, code=None):
        headers = {"Content-Type": "application/json"} | ({"X-Error-Code": code} if code else {})
        self._send(json.dumps(value).encode(), headers, status)

    def _send(self, content, headers, status=200):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": len(content)}.items():
            self.send_header(name, str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def _blob(content):
    return {"oid": sha1(content).hexdigest(), "size": len(content)}


@contextmanager
def serve_hub():
    """Serve an empty hub; its `repositories` are the files by name, by repository."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.repositories = {}
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
