"""Values that no honest program sends: the answer is a refusal or a success, never a fault."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI

from tests.api.conftest import KeyMaker, with_key
from tests.api.test_every_route_denies import requests_of, runtime, things

__all__ = ["runtime", "things"]

STRANGE: tuple[Any, ...] = (10**400, -1, "x" * 99_000, "", "\r\nBcc: x@elsewhere.example", "\x01\u202e", True, [[]])


def variants(body: Any) -> Iterator[Any]:
    """The body with each of its values, at any depth, replaced by each strange one."""
    if isinstance(body, dict):
        for name, part in body.items():
            yield from (body | {name: strange} for strange in STRANGE)
            yield from (body | {name: other} for other in variants(part))
    elif isinstance(body, list) and body:
        yield from ([strange] for strange in STRANGE)
        yield from ([other] for other in variants(body[0]))


def test_no_value_in_a_body_is_a_fault(api: FastAPI, things: dict[str, str], make_key: KeyMaker):
    tried = 0
    with with_key(api, make_key()) as client:
        for method, path, target, body in requests_of(api, things):
            # Connecting an account tries its servers; what its form refuses is tested in its room.
            if not body or not path.startswith("/v1") or method == "DELETE" or path == "/v1/accounts":
                continue
            for strange in variants(body):
                told = {"content-type": "application/json"}
                answer = client.request(method, target, content=json.dumps(strange), headers=told)
                assert answer.status_code < 500, (method, path, json.dumps(strange)[:300])
                tried += 1
    assert tried > 500


@pytest.mark.parametrize("strange", ["9" * 400, "-1", "x" * 5_000, "\x01", "con_", "%", "null", "a,b", "٣"])
def test_no_value_in_an_address_is_a_fault(api: FastAPI, things: dict[str, str], make_key: KeyMaker, strange: str):
    names = (
        *("page", "perPage", "sort", "order", "status", "email", "tag", "groupId"),
        *("from", "to", "label", "query", "campaignId", "includeArchived"),
    )
    with with_key(api, make_key()) as client:
        for method, path, target, _body in requests_of(api, things):
            if method == "GET" and path.startswith("/v1"):
                for name in names:
                    answer = client.get(target, params={name: strange})
                    assert answer.status_code < 500, (path, name)
