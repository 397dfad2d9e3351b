"""A hub on this machine, as far as uploads and downloads of small files need one."""

from __future__ import annotations

import base64
import hashlib
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit


class FakeHub(ThreadingHTTPServer):
    """Repositories in memory; each commit replaces files of its repository's one branch."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.pages: list[str] = []
        """Model cards whose front matter it was asked to check."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def revision(self, name: str) -> str:
        files = self.repositories[name]
        return hashlib.sha1(repr(sorted((key, len(files[key])) for key in files)).encode()).hexdigest()

    def commit(self, name: str, lines: list[dict[str, Any]]) -> None:
        for line in lines:
            if line["key"] == "file":
                value = line["value"]
                self.repositories[name][value["path"]] = base64.b64decode(value["content"])


class _Handler(BaseHTTPRequestHandler):
    server: FakeHub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _reply(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _json(self, value: Any, status: int = 200) -> None:
        self._reply(json.dumps(value).encode(), status, Content_Type="application/json")

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def do_POST(self) -> None:
        hub, body, parts = self.server, self._body(), self._parts()
        if parts[:2] == ["api", "validate-yaml"]:
            hub.pages.append(json.loads(body)["content"])
            self._json({"errors": [], "warnings": []})
        elif parts[:3] == ["api", "repos", "create"]:
            name = "/".join(filter(None, (json.loads(body).get("organization"), json.loads(body)["name"])))
            hub.repositories.setdefault(name, {})
            self._json({"url": f"{hub.address}/{name}"})
        elif "preupload" in parts:
            files = [each["path"] for each in json.loads(body)["files"]]
            modes = [{"path": path, "uploadMode": "regular", "shouldIgnore": False} for path in files]
            self._json({"files": modes})
        elif "commit" in parts:
            name = "/".join(parts[2:4])
            hub.commit(name, [json.loads(line) for line in body.splitlines() if line])
            revision = hub.revision(name)
            url = f"{hub.address}/{name}/commit/{revision}"
            self._json({"commitUrl": url, "commitOid": revision})
        else:
            self._json({"error": self.path}, 404)

    def do_GET(self) -> None:
        hub, parts = self.server, self._parts()
        if parts[0] == "api":
            name = "/".join(parts[2:4])
            if name not in hub.repositories:
                self._reply(b"{}", 404, X_Error_Code="RepoNotFound")
            elif "tree" in parts:
                files = hub.repositories[name].items()
                self._json(
                    [
                        {
                            "type": "file",
                            "path": path,
                            "size": len(content),
                            "oid": hashlib.sha1(content).hexdigest(),
                        }
                        for path, content in files
                    ]
                )
            else:
                siblings = [{"rfilename": path} for path in hub.repositories[name]]
                self._json({"id": name, "sha": hub.revision(name), "siblings": siblings})
            return
        name, path = "/".join(parts[:2]), "/".join(parts[4:])
        if name not in hub.repositories:
            self._reply(b"", 404, X_Error_Code="RepoNotFound")
            return
        content = hub.repositories[name].get(path)
        if content is None:
            self._reply(b"", 404, X_Error_Code="EntryNotFound", X_Repo_Commit=hub.revision(name))
            return
        tag = f'"{hashlib.sha1(content).hexdigest()}"'
        self._reply(content, X_Repo_Commit=hub.revision(name), ETag=tag)

    do_HEAD = do_GET

    def _parts(self) -> list[str]:
        return unquote(urlsplit(self.path).path).strip("/").split("/")
