"""Cloudflare's API v4 as far as DNS records go, in the shapes that its documentation shows."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
import responses

BASE = "https://api.cloudflare.com/client/v4"
ZONE_ID = "023e105f4ecef8ad9ca31a8372d0c353"
Answer = tuple[int, dict[str, str], str]


@dataclass
class Cloudflare:
    """One account with zones and their records; put into `responses`, for the provider speaks `requests`."""

    zones: dict[str, str] = field(default_factory=lambda: {"example.com": ZONE_ID})
    records: list[dict[str, Any]] = field(default_factory=list)
    token: str = "cf-token"
    may_edit: bool = True
    lose: str = ""
    """Method whose next request is carried out, and its answer lost."""
    failures: list[int] = field(default_factory=list)
    """Statuses of the next answers."""
    asked: list[str] = field(default_factory=list)

    def install(self, mock: responses.RequestsMock) -> None:
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            mock.add_callback(method, re.compile(f"{BASE}/.*"), callback=self._answer)

    def add(self, kind: str, name: str, content: str, **more: Any) -> None:
        fields = {"ttl": 300, "proxied": False} | more
        number = f"{len(self.asked):08x}{len(self.records):024x}"
        self.records.append({"id": number, "zone_id": ZONE_ID, "type": kind, "name": name, "content": content} | fields)

    def of(self, name: str) -> dict[str, list[str]]:
        """Values of a name by type."""
        found: dict[str, list[str]] = {}
        for one in self.records:
            if one["name"] == name:
                found.setdefault(one["type"], []).append(one["content"])
        return found

    def _answer(self, request: requests.PreparedRequest) -> Answer:
        path = urlsplit(request.url).path.removeprefix("/client/v4")
        self.asked.append(f"{request.method} {path}")
        if self.failures:
            return _error(self.failures.pop(0), 10000, "Service temporarily unavailable")
        if request.headers["Authorization"] != f"Bearer {self.token}":
            return _error(403, 9109, "Invalid access token")
        if request.method != "GET" and not self.may_edit:
            return _error(403, 10000, "Authentication error")
        answer = self._route(path)(request, path.rpartition("/")[2])
        if self.lose == request.method:
            self.lose = ""
            raise requests.ConnectionError("Remote end closed connection without response")
        return answer

    def _route(self, path: str) -> Callable[[requests.PreparedRequest, str], Answer]:
        if path == "/zones":
            return self._list_zones
        if re.fullmatch(f"/zones/{ZONE_ID}/dns_records(/[0-9a-f]{{32}})?", path):
            return self._dns_records
        return lambda request, last: _error(
            404, 7003, f"Could not route to {path}, perhaps your object identifier is invalid?"
        )

    def _list_zones(self, request: requests.PreparedRequest, last: str) -> Answer:
        servers = ["ada.ns.cloudflare.com", "bob.ns.cloudflare.com"]
        return _page(request, [{"id": id_, "name": name, "name_servers": servers} for name, id_ in self.zones.items()])

    def _dns_records(self, request: requests.PreparedRequest, last: str) -> Answer:
        match request.method:
            case "GET":
                return _page(request, self.records)
            case "POST":
                wanted = json.loads(request.body or b"{}")
                same = ("type", "name", "content")
                if any(all(one[key] == wanted[key] for key in same) for one in self.records):
                    return _error(400, 81058, "An identical record already exists.")
                self.add(wanted.pop("type"), wanted.pop("name"), wanted.pop("content"), **wanted)
                return _result(self.records[-1])
        found = [one for one in self.records if one["id"] == last]
        if not found:
            return _error(404, 81044, "Record does not exist.")
        if request.method == "DELETE":
            self.records.remove(found[0])
            return _result({"id": last})
        found[0] |= json.loads(request.body or b"{}")
        return _result(found[0])


def _page(request: requests.PreparedRequest, entries: list[dict[str, Any]]) -> Answer:
    query = parse_qs(urlsplit(request.url).query)
    page, size = int(query.get("page", ["1"])[0]), int(query.get("per_page", ["20"])[0])
    part = entries[(page - 1) * size : page * size]
    info = {"page": page, "per_page": size, "count": len(part), "total_count": len(entries)}
    return _json(200, {"success": True, "errors": [], "messages": [], "result": part, "result_info": info})


def _result(result: dict[str, Any]) -> Answer:
    return _json(200, {"success": True, "errors": [], "messages": [], "result": result})


def _error(status: int, code: int, message: str) -> Answer:
    return _json(
        status, {"success": False, "errors": [{"code": code, "message": message}], "messages": [], "result": None}
    )


def _json(status: int, body: dict[str, Any]) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps(body)
