"""Reading a workflow from the API shape of campaigns.md: `{"nodes": [{"id", "type", "data"}], "edges": […]}`.

A draft may be unfinished, so only the shape is refused here (unknown keys, wrong types, sizes, dangling edges); what
keeps a campaign from starting is told by `validation`.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from fluenzr_app.campaigns.errors import Fault, WorkflowFaults
from fluenzr_app.campaigns.nodes import (
    AutoWinner,
    ConditionNode,
    DelayNode,
    Edge,
    EmailNode,
    EndNode,
    Node,
    StartNode,
    Variant,
    Workflow,
)

NODES_MAX = 200
EDGES_MAX = 400
NAME_MAX = 200
SUBJECT_MAX = 500
BODY_MAX = 100_000
VALUE_MAX = 2_000
NUMBER_MAX = 10_000

NODE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
BRANCHES = ("yes", "no")
CRITERIA = ("opened", "clicked", "field")
OPERATORS = ("equals", "not_equals", "contains", "not_contains", "filled", "empty")
AB_CRITERIA = ("open", "click", "reply")


class _Reader:
    """Reads one JSON object, key by key, and notes what is wrong with it instead of stopping."""

    def __init__(self, value: object, path: str, node_id: str | None, faults: list[Fault]) -> None:
        self.path = path
        self.node_id = node_id
        self.faults = faults
        self._known: set[str] = set()
        self.members: Mapping[str, Any] = {}
        if isinstance(value, Mapping):
            self.members = value
        else:
            self.refuse("wrong_type", "", "must be an object", expected="object")

    def refuse(self, code: str, key: str, words: str, **params: Any) -> None:
        """Note a fault of `key` ("" for the object itself)."""
        path = f"{self.path}.{key}" if key and self.path else key or self.path
        message = f"{path or 'The workflow'} {words}."
        self.faults.append(Fault(code, self.node_id, {"path": path} | params, message, path))

    def text(self, key: str, longest: int, default: str = "") -> str:
        """Return a string of at most `longest` characters."""
        value = self._take(key, default)
        if not isinstance(value, str):
            self.refuse("wrong_type", key, "must be text", expected="text")
        elif len(value) > longest:
            self.refuse("too_long", key, f"must not be longer than {longest} characters", limit=longest)
        elif "\x00" in value:
            self.refuse("bad_character", key, "must not hold a NUL character")
        else:
            return value
        return default

    def maybe_text(self, key: str, longest: int) -> str | None:
        """Return a string, or None when the key is absent or null."""
        return None if self._is_absent(key) else self.text(key, longest)

    def choice(self, key: str, choices: tuple[str, ...], default: str) -> str:
        """Return one of `choices`, or `default`."""
        value = self.text(key, NAME_MAX, default)
        if value not in choices and value != default:
            self.refuse("unknown_value", key, f"must be one of {', '.join(choices)}", choices=list(choices))
            return default
        return value

    def flag(self, key: str, default: bool) -> bool:
        """Return a boolean."""
        value = self._take(key, default)
        if isinstance(value, bool):
            return value
        self.refuse("wrong_type", key, "must be true or false", expected="boolean")
        return default

    def maybe_number(self, key: str) -> int | None:
        """Return a whole number from 0 to `NUMBER_MAX`, or None when the key is absent or null."""
        if self._is_absent(key):
            return None
        value = self._take(key, None)
        # True is an int to Python, not to JSON.
        if not isinstance(value, int) or isinstance(value, bool):
            self.refuse("wrong_type", key, "must be a whole number", expected="integer")
        elif not 0 <= value <= NUMBER_MAX:
            self.refuse("out_of_range", key, f"must be from 0 to {NUMBER_MAX}", min=0, max=NUMBER_MAX)
        else:
            return value
        return None

    def number(self, key: str, lowest: int, highest: int, default: int) -> int:
        """Return a whole number within bounds."""
        value = self.maybe_number(key)
        if value is None:
            return default
        if not lowest <= value <= highest:
            self.refuse("out_of_range", key, f"must be from {lowest} to {highest}", min=lowest, max=highest)
            return default
        return value

    def inner(self, key: str) -> "_Reader | None":
        """Return a reader of an object inside this one, or None when the key is absent or null."""
        if self._is_absent(key):
            return None
        return _Reader(self._take(key, None), f"{self.path}.{key}", self.node_id, self.faults)

    def array(self, key: str, longest: int) -> list[Any]:
        """Return a list of at most `longest` entries."""
        value = self._take(key, None)
        if not isinstance(value, list):
            self.refuse("wrong_type", key, "must be a list", expected="array")
        elif len(value) > longest:
            self.refuse("too_many", key, f"must not have more than {longest} entries", limit=longest)
        else:
            return value
        return []

    def close(self) -> None:
        """Refuse the keys that nobody asked for."""
        for key in self.members:
            if key not in self._known:
                shown = str(key)[:64]
                self.refuse("unknown_key", shown, "is not known here", unknown=shown)

    def _take(self, key: str, default: object) -> object:
        self._known.add(key)
        value = self.members.get(key)
        return default if value is None else value

    def _is_absent(self, key: str) -> bool:
        self._known.add(key)
        return self.members.get(key) is None


def _variant(ab: _Reader) -> Variant:
    auto = ab.inner("auto")
    winner = None
    if auto is not None:
        winner = AutoWinner(sample=auto.number("sample", 1, 100, 20), hours=auto.number("hours", 1, 720, 48))
        auto.close()
    variant = Variant(
        subject=ab.text("subject", SUBJECT_MAX),
        body=ab.text("body", BODY_MAX),
        sender_name=ab.text("senderName", NAME_MAX),
        share=ab.number("share", 1, 99, 50),
        criterion=ab.choice("criterion", AB_CRITERIA, "open"),
        auto=winner,
    )
    ab.close()
    return variant


def _email(node_id: str, data: _Reader) -> Node:
    ab = data.inner("ab")
    return EmailNode(
        id=node_id,
        name=data.text("name", NAME_MAX),
        subject=data.text("subject", SUBJECT_MAX),
        body=data.text("body", BODY_MAX),
        track_opens=data.flag("trackOpens", True),
        track_clicks=data.flag("trackClicks", True),
        ab=None if ab is None else _variant(ab),
    )


def _delay(node_id: str, data: _Reader) -> Node:
    days, hours = data.maybe_number("days"), data.maybe_number("hours")
    if days is not None and hours is not None:
        data.refuse("days_and_hours", "", "must have days or hours, not both")
    return DelayNode(id=node_id, days=days, hours=hours, business_days=data.flag("businessDays", False))


def _condition(node_id: str, data: _Reader) -> Node:
    operator = data.maybe_text("operator", NAME_MAX)
    if operator is not None and operator not in OPERATORS:
        data.refuse("unknown_value", "operator", f"must be one of {', '.join(OPERATORS)}", choices=list(OPERATORS))
    return ConditionNode(
        id=node_id,
        criterion=data.choice("criterion", CRITERIA, ""),
        url=data.maybe_text("url", VALUE_MAX),
        field=data.maybe_text("field", NAME_MAX),
        operator=operator,
        value=data.maybe_text("value", VALUE_MAX),
    )


_KINDS: dict[str, Callable[[str, _Reader], Node]] = {
    "start": lambda node_id, _: StartNode(node_id),
    "email": _email,
    "delay": _delay,
    "condition": _condition,
    "end": lambda node_id, _: EndNode(node_id),
}


def _node(value: object, path: str, faults: list[Fault]) -> Node | None:
    shown = value.get("id") if isinstance(value, Mapping) else None
    node_id = shown if isinstance(shown, str) and NODE_ID.fullmatch(shown) else None
    reader = _Reader(value, path, node_id, faults)
    if not isinstance(value, Mapping):
        return None
    reader.text("id", 64)
    kind = reader.text("type", NAME_MAX)
    data = reader.inner("data") or _Reader({}, f"{path}.data", node_id, faults)
    reader.close()
    if node_id is None:
        reader.refuse("bad_node_id", "id", "must be 1 to 64 letters, digits, - or _")
    if kind not in _KINDS:
        reader.refuse("unknown_value", "type", f"must be one of {', '.join(_KINDS)}", choices=list(_KINDS))
        return None
    node = _KINDS[kind](node_id or "", data)
    data.close()
    return node


def parse_node(node_id: str, kind: str, data: Mapping[str, Any]) -> Node:
    """Return one node from its id, type and `data`; raises WorkflowFaults for anything that is not in shape."""
    faults: list[Fault] = []
    node = _node({"id": node_id, "type": kind, "data": data}, "", faults)
    if faults or node is None:
        raise WorkflowFaults(faults)
    return node


def _edge(value: object, path: str, ids: set[str], faults: list[Fault]) -> Edge | None:
    reader = _Reader(value, path, None, faults)
    if not isinstance(value, Mapping):
        return None
    ends = {key: reader.text(key, 64) for key in ("from", "to")}
    branch = reader.maybe_text("branch", NAME_MAX)
    reader.close()
    for key, node_id in ends.items():
        if node_id not in ids:
            reader.refuse("unknown_node", key, f"names a node that does not exist (“{node_id}”)", node=node_id)
    if branch is not None and branch not in BRANCHES:
        reader.refuse("unknown_value", "branch", "must be yes or no", choices=list(BRANCHES))
    return Edge(ends["from"], ends["to"], branch)


def parse_workflow(shape: Mapping[str, Any]) -> Workflow:
    """Return the workflow of an API shape; raises WorkflowFaults with every fault of shape, by node and path.

    A key that is absent or null takes its default; the number of nodes, edges and characters is bounded.
    """
    faults: list[Fault] = []
    reader = _Reader(shape, "", None, faults)
    node_values = reader.array("nodes", NODES_MAX)
    edge_values = reader.array("edges", EDGES_MAX)
    reader.close()
    nodes: dict[str, Node] = {}
    # Edges are checked against every id that was given, so that one bad node does not fault its edges as well.
    ids = {value["id"] for value in node_values if isinstance(value, Mapping) and isinstance(value.get("id"), str)}
    for index, value in enumerate(node_values):
        node = _node(value, f"nodes[{index}]", faults)
        if node is not None and node.id in nodes:
            path = f"nodes[{index}].id"
            faults.append(Fault("duplicate_node", node.id, {"path": path}, f"{path} is used by another node.", path))
        elif node is not None and node.id:
            nodes[node.id] = node
    edges = [_edge(value, f"edges[{index}]", ids, faults) for index, value in enumerate(edge_values)]
    if faults:
        raise WorkflowFaults(faults)
    return Workflow(tuple(nodes.values()), tuple(edge for edge in edges if edge is not None))
