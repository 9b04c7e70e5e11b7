"""The API's own description: OpenAPI at `/v1/openapi.json`, and a page made of it at `/v1/docs`, without any CDN."""

import base64
import html
import json
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

_STYLE: Final = """
:root{color-scheme:light dark;--text:#1f1f24;--soft:#5f6068;--page:#fff;--side:#f7f7f9;--line:#e3e3e8;--act:#5629c2}
@media(prefers-color-scheme:dark){:root{--text:#ededf2;--soft:#a3a4ad;--page:#141417;--side:#1c1c21;--line:#303038;
--act:#a78bfa}}
body{margin:0;background:var(--page);color:var(--text);font:15px/1.55 system-ui,sans-serif}
.all{display:grid;grid-template-columns:17rem minmax(0,1fr)}
nav{background:var(--side);border-right:1px solid var(--line);padding:24px;height:100vh;position:sticky;top:0;
overflow:auto;box-sizing:border-box}
nav a{display:block;color:var(--soft);text-decoration:none;padding:3px 0;font-size:.8125rem;overflow-wrap:anywhere}
main a{color:var(--act)}
nav h2{font-size:.75rem;letter-spacing:.05em;text-transform:uppercase;margin:20px 0 4px}
main{padding:32px 40px;max-width:60rem}
section{border-top:1px solid var(--line);padding:24px 0}
h3{font-size:1rem;margin:0 0 8px;overflow-wrap:anywhere}
code,pre{font-family:ui-monospace,monospace;font-size:.85em}
pre{background:var(--side);border:1px solid var(--line);border-radius:8px;padding:12px;overflow:auto}
table{border-collapse:collapse;width:100%;font-size:.875rem}td,th{border-bottom:1px solid var(--line);text-align:left;
padding:6px 8px;vertical-align:top}
.m{color:var(--act);font-weight:700}
@media(max-width:800px){.all{display:block}nav{height:auto;position:static}main{padding:24px}}
"""
_HASH: Final = base64.b64encode(sha256(_STYLE.encode()).digest()).decode()
POLICY: Final = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; frame-ancestors 'none'"

INTRODUCTION: Final = """\
Send your key as `Authorization: Bearer flz_sk_…`; keys are made in Settings and shown once. Every answer is JSON:
`{"success": true, "data": …, "meta": …}` or `{"success": false, "error": {"code", "message", "details"}}`.
Names are in camelCase, times are ISO 8601 in UTC, ids are opaque and carry a prefix. Lists take `page` (from 1),
`perPage` (at most 100), `sort` and `order`. A write takes an `Idempotency-Key`: the same request under the same key is
done once and answered alike for 24 hours. `X-RateLimit-Limit`, `X-RateLimit-Remaining` and `X-RateLimit-Reset` stand on
every answer to a valid key; over the limit the answer is 429 with `Retry-After`."""


def render(document: Mapping[str, Any]) -> str:
    """Return the reference page of an OpenAPI document."""
    operations = [
        (tag, method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        for tag in operation.get("tags", ["general"])
    ]
    tags = list(dict.fromkeys(tag for tag, *_ in operations))
    side = "".join(_side(tag, [op for op in operations if op[0] == tag]) for tag in tags)
    body = "".join(_section(document, *operation) for operation in operations)
    title = html.escape(document["info"]["title"])
    base = html.escape(document["servers"][0]["url"])
    introduction = "".join(f"<p>{_inline(part)}</p>" for part in document["info"]["description"].split("\n\n"))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width,initial-scale=1"><title>{title}</title><style>{_STYLE}</style></head>'
        f'<body><div class="all"><nav aria-label="Calls"><strong>{title}</strong>{side}</nav><main><h1>{title}</h1>'
        f"{introduction}<p>Every address below begins with <code>{base}</code>. The same as a document for programs: "
        f'<a href="openapi.json">openapi.json</a>.</p>{body}</main></div></body></html>'
    )


def _side(tag: str, operations: list[tuple[str, str, str, Any]]) -> str:
    links = "".join(
        f'<a href="#{html.escape(operation["operationId"])}"><span class="m">{method}</span> {_short(path)}</a>'
        for _, method, path, operation in operations
    )
    return f"<h2>{html.escape(tag)}</h2>{links}"


def _short(path: str) -> str:
    return html.escape(re.sub(r"\{\w+\}", "{id}", path))


def _section(document: Mapping[str, Any], _tag: str, method: str, path: str, operation: Mapping[str, Any]) -> str:
    anchor = html.escape(operation["operationId"])
    head = f'<h3><span class="m">{method}</span> <code>{html.escape(path)}</code></h3>'
    words = _inline(operation.get("description", operation["summary"]))
    parts = [f'<section id="{anchor}">{head}<p>{words}</p>']
    parameters = operation.get("parameters", [])
    if parameters:
        parts.append(_table([_parameter(parameter) for parameter in parameters]))
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content:
        parts.append("<h4>Body</h4>" + _schema(document, content["schema"]))
    for status, answer in operation["responses"].items():
        shape = answer.get("content", {}).get("application/json")
        if status.startswith("2") and shape:
            parts.append(f"<h4>Answer {status}</h4>" + _schema(document, shape["schema"]))
    return "".join(parts) + "</section>"


def _parameter(parameter: Mapping[str, Any]) -> tuple[str, str]:
    schema = parameter.get("schema", {})
    kind = schema.get("type") or " or ".join(str(one.get("type", "")) for one in schema.get("anyOf", []))
    words = [parameter["in"], kind, "required" if parameter.get("required") else ""]
    if schema.get("default") not in (None, ""):
        words.append(f"default {schema['default']}")
    return parameter["name"], ", ".join(word for word in words if word)


def _table(rows: list[tuple[str, str]]) -> str:
    lines = "".join(f"<tr><td><code>{html.escape(a)}</code></td><td>{html.escape(b)}</td></tr>" for a, b in rows)
    return f"<table><tbody>{lines}</tbody></table>"


def _schema(document: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    example = json.dumps(_example(document, schema, 0), indent=2, ensure_ascii=False)
    return f"<pre>{html.escape(example)}</pre>"


def _example(document: Mapping[str, Any], schema: Mapping[str, Any], depth: int) -> Any:
    """Return the shape of a schema with the types in the places of values."""
    if depth > 8:
        return "…"
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _example(document, document["components"]["schemas"][name], depth + 1)
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "const" in schema:
        return schema["const"]
    if "anyOf" in schema:
        shapes = [one for one in schema["anyOf"] if one.get("type") != "null"]
        return _example(document, shapes[0], depth + 1) if shapes else None
    if schema.get("type") == "array":
        return [_example(document, schema.get("items", {}), depth + 1)]
    if "properties" in schema:
        return {name: _example(document, part, depth + 1) for name, part in schema["properties"].items()}
    if schema.get("type") == "object":
        return {}
    return schema.get("format") or schema.get("type", "any")


def _inline(text: str) -> str:
    """Return escaped text with `code` between backquotes."""
    parts = html.escape(text).split("`")
    return "".join(f"<code>{part}</code>" if index % 2 else part for index, part in enumerate(parts))
