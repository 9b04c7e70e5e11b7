"""Workflows: reading and writing the API shape, walking, and the list of steps."""

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fluenzr_app.campaigns.errors import NotLinear, WorkflowFaults
from fluenzr_app.campaigns.shape import BODY_MAX, NODES_MAX
from fluenzr_app.campaigns.workflow import (
    AutoWinner,
    ConditionNode,
    DelayNode,
    Edge,
    EmailNode,
    EndNode,
    StartNode,
    Step,
    Variant,
    Workflow,
    first_email,
    insert_step,
    linear_steps,
    linear_workflow,
    mail_number,
    move_step,
    new_node_id,
    next_node,
    parse_node,
    parse_workflow,
    remove_step,
    replace_step,
)

THREE_MAILS: dict[str, Any] = {
    "nodes": [
        {"id": "start", "type": "start", "data": {}},
        {
            "id": "n1",
            "type": "email",
            "data": {"name": "Hello", "subject": "Hi", "body": "<p>Hi</p>", "trackOpens": False, "trackClicks": True},
        },
        {"id": "n2", "type": "delay", "data": {"days": 3, "businessDays": True}},
        {
            "id": "n3",
            "type": "email",
            "data": {"name": "", "subject": "", "body": "Again", "trackOpens": True, "trackClicks": True},
        },
        {"id": "n4", "type": "delay", "data": {"hours": 5, "businessDays": False}},
        {
            "id": "n5",
            "type": "email",
            "data": {
                "name": "Last",
                "subject": "",
                "body": "Bye",
                "trackOpens": True,
                "trackClicks": True,
                "ab": {
                    "subject": "B",
                    "body": "Bye B",
                    "senderName": "Ada",
                    "share": 40,
                    "criterion": "reply",
                    "auto": {"sample": 20, "hours": 48},
                },
            },
        },
        {"id": "end", "type": "end", "data": {}},
    ],
    "edges": [
        {"from": "start", "to": "n1"},
        {"from": "n1", "to": "n2"},
        {"from": "n2", "to": "n3"},
        {"from": "n3", "to": "n4"},
        {"from": "n4", "to": "n5"},
        {"from": "n5", "to": "end"},
    ],
}

FORK = Workflow(
    (
        StartNode("s"),
        EmailNode("a", subject="A", body="a"),
        DelayNode("d", days=2),
        ConditionNode("c", criterion="opened"),
        EmailNode("b", body="b"),
        EmailNode("z", body="z"),
        EndNode("e"),
    ),
    (
        Edge("s", "a"),
        Edge("a", "d"),
        Edge("d", "c"),
        Edge("c", "b", "no"),
        Edge("b", "z"),
        Edge("c", "z", "yes"),
        Edge("z", "e"),
    ),
)


def faults_of(shape: Any) -> list[tuple[str, str | None, str]]:
    with pytest.raises(WorkflowFaults) as refused:
        parse_workflow(shape)
    return [(fault.code, fault.node_id, fault.path) for fault in refused.value.faults]


def with_node(node: Any, **top: Any) -> dict[str, Any]:
    return {"nodes": [node], "edges": []} | top


def test_what_was_read_is_written_back_the_same() -> None:
    workflow = parse_workflow(json.loads(json.dumps(THREE_MAILS)))
    assert workflow.to_api() == THREE_MAILS
    assert parse_workflow(workflow.to_api()) == workflow


def test_each_node_is_read_with_its_type() -> None:
    nodes = parse_workflow(THREE_MAILS).by_id
    assert nodes["n1"] == EmailNode("n1", "Hello", "Hi", "<p>Hi</p>", track_opens=False)
    assert nodes["n2"] == DelayNode("n2", days=3, business_days=True)
    assert nodes["n4"] == DelayNode("n4", hours=5)
    last = nodes["n5"]
    assert isinstance(last, EmailNode)
    assert last.ab == Variant("B", "Bye B", "Ada", 40, "reply", AutoWinner(20, 48))


def test_conditions_keep_what_was_set_and_their_branches() -> None:
    shape = FORK.to_api()
    assert shape["nodes"][3]["data"] == {"criterion": "opened"}
    assert {"from": "c", "to": "b", "branch": "no"} in shape["edges"]
    assert parse_workflow(shape) == FORK
    given_link = ConditionNode("c", "clicked", url="https://acme.example/")
    assert parse_node("c", "condition", given_link.data()) == given_link


def test_what_is_absent_or_null_takes_its_default() -> None:
    bare = parse_workflow(with_node({"id": "m", "type": "email", "data": {"subject": None}}))
    assert bare.by_id["m"] == EmailNode("m", track_opens=True, track_clicks=True)
    assert parse_workflow(with_node({"id": "m", "type": "email"})).by_id["m"] == EmailNode("m")


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ([], [("wrong_type", None, ""), ("wrong_type", None, "nodes"), ("wrong_type", None, "edges")]),
        ({"nodes": [], "edges": [], "zoom": 1}, [("unknown_key", None, "zoom")]),
        ({"nodes": {}, "edges": []}, [("wrong_type", None, "nodes")]),
        (with_node("start"), [("wrong_type", None, "nodes[0]")]),
        (with_node({"id": "a b", "type": "end"}), [("bad_node_id", None, "nodes[0].id")]),
        (with_node({"id": "a", "type": "wait"}), [("unknown_value", "a", "nodes[0].type")]),
        (with_node({"id": "a", "type": "end", "x": 1}), [("unknown_key", "a", "nodes[0].x")]),
        (with_node({"id": "a", "type": "end", "data": {"x": 1}}), [("unknown_key", "a", "nodes[0].data.x")]),
        (
            with_node({"id": "a", "type": "email", "data": {"subject": 5}}),
            [("wrong_type", "a", "nodes[0].data.subject")],
        ),
        (
            with_node({"id": "a", "type": "email", "data": {"body": "x" * (BODY_MAX + 1)}}),
            [("too_long", "a", "nodes[0].data.body")],
        ),
        (
            with_node({"id": "a", "type": "email", "data": {"body": "a\x00b"}}),
            [("bad_character", "a", "nodes[0].data.body")],
        ),
        (
            with_node({"id": "a", "type": "email", "data": {"trackOpens": "yes"}}),
            [("wrong_type", "a", "nodes[0].data.trackOpens")],
        ),
        (with_node({"id": "a", "type": "delay", "data": {"days": "3"}}), [("wrong_type", "a", "nodes[0].data.days")]),
        (with_node({"id": "a", "type": "delay", "data": {"days": True}}), [("wrong_type", "a", "nodes[0].data.days")]),
        (with_node({"id": "a", "type": "delay", "data": {"days": 1.5}}), [("wrong_type", "a", "nodes[0].data.days")]),
        (with_node({"id": "a", "type": "delay", "data": {"days": -1}}), [("out_of_range", "a", "nodes[0].data.days")]),
        (
            with_node({"id": "a", "type": "delay", "data": {"days": 1, "hours": 1}}),
            [("days_and_hours", "a", "nodes[0].data")],
        ),
        (
            with_node({"id": "a", "type": "condition", "data": {"criterion": "weather", "operator": "like"}}),
            [("unknown_value", "a", "nodes[0].data.operator"), ("unknown_value", "a", "nodes[0].data.criterion")],
        ),
        (
            with_node({"id": "a", "type": "email", "data": {"ab": {"share": 100, "auto": {"x": 1}}}}),
            [("unknown_key", "a", "nodes[0].data.ab.auto.x"), ("out_of_range", "a", "nodes[0].data.ab.share")],
        ),
        (
            with_node({"id": "a", "type": "end"}, edges=[{"from": "a", "to": "b", "branch": "maybe"}]),
            [("unknown_node", None, "edges[0].to"), ("unknown_value", None, "edges[0].branch")],
        ),
        (
            {"nodes": [{"id": "a", "type": "end"}, {"id": "a", "type": "end"}], "edges": []},
            [("duplicate_node", "a", "nodes[1].id")],
        ),
        ({"nodes": [{"id": "a", "type": "end"}] * (NODES_MAX + 1), "edges": []}, [("too_many", None, "nodes")]),
    ],
)
def test_a_wrong_shape_is_refused_with_its_node_and_path(shape: Any, expected: list[tuple[str, str, str]]) -> None:
    assert faults_of(shape) == expected


def test_every_fault_is_told_at_once_and_in_words() -> None:
    shape = {
        "nodes": [
            {"id": "a", "type": "delay", "data": {"days": "x"}},
            {"id": "b", "type": "email", "data": {"cc": ""}},
        ],
        "edges": [{"from": "a", "to": "nowhere"}],
    }
    with pytest.raises(WorkflowFaults) as refused:
        parse_workflow(shape)
    assert [fault.message for fault in refused.value.faults] == [
        "nodes[0].data.days must be a whole number.",
        "nodes[1].data.cc is not known here.",
        "edges[0].to names a node that does not exist (“nowhere”).",
    ]


SHAPE_KEYS = ["nodes", "edges", "id", "type", "data", "from", "to", "branch", "days", "body", "ab", "auto", "x"]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(SHAPE_KEYS), inner, max_size=5),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.dictionaries(st.sampled_from(SHAPE_KEYS), json_values, max_size=5))
def test_no_json_makes_the_reader_crash(shape: dict[str, Any]) -> None:
    try:
        workflow = parse_workflow(shape)
    except WorkflowFaults as refused:
        assert refused.faults  # noqa: PT017
    else:
        assert parse_workflow(workflow.to_api()) == workflow


def test_one_walks_from_node_to_node_and_along_branches() -> None:
    assert next_node(FORK, "s") == FORK.by_id["a"]
    assert next_node(FORK, "c", "yes") == FORK.by_id["z"]
    assert next_node(FORK, "c", "no") == FORK.by_id["b"]
    assert next_node(FORK, "c") is None
    assert next_node(FORK, "e") is None
    with pytest.raises(KeyError):
        next_node(FORK, "gone")


def test_mails_are_numbered_by_the_shortest_way_to_them() -> None:
    assert first_email(FORK) == FORK.by_id["a"]
    assert [mail_number(FORK, node_id) for node_id in ("a", "b", "z")] == [1, 2, 2]
    straight = parse_workflow(THREE_MAILS)
    assert [mail_number(straight, node_id) for node_id in ("n1", "n3", "n5")] == [1, 2, 3]
    with pytest.raises(KeyError):
        mail_number(straight, "n2")


def test_a_workflow_without_start_or_mail_has_no_first_mail() -> None:
    assert first_email(Workflow((EmailNode("a"),), ())) is None
    assert first_email(linear_workflow([])) is None


def test_a_line_is_shown_as_steps_and_made_from_steps() -> None:
    workflow = parse_workflow(THREE_MAILS)
    steps = linear_steps(workflow)
    assert [step.id for step in steps] == ["n1", "n2", "n3", "n4", "n5"]
    assert linear_workflow(steps) == workflow


def test_steps_are_told_in_the_order_of_the_edges_not_of_the_nodes() -> None:
    workflow = parse_workflow({"nodes": THREE_MAILS["nodes"][::-1], "edges": THREE_MAILS["edges"][::-1]})
    assert [step.id for step in linear_steps(workflow)] == ["n1", "n2", "n3", "n4", "n5"]


@pytest.mark.parametrize(
    "workflow",
    [
        FORK,
        Workflow((), ()),
        Workflow((StartNode("s"), EndNode("e")), ()),
        Workflow((StartNode("s"), EmailNode("a"), EndNode("e")), (Edge("s", "a"),)),
        Workflow((StartNode("s"), EmailNode("a"), EndNode("e")), (Edge("s", "e"),)),
        Workflow((StartNode("s"), EmailNode("a")), (Edge("s", "a"), Edge("a", "s"))),
        Workflow((StartNode("s"), EmailNode("a"), EndNode("e")), (Edge("s", "a"), Edge("a", "e", "yes"))),
        Workflow((StartNode("s"), EndNode("e"), EndNode("f")), (Edge("s", "e"), Edge("e", "f"))),
    ],
)
def test_anything_but_one_straight_line_is_not_shown_as_steps(workflow: Workflow) -> None:
    with pytest.raises(NotLinear):
        linear_steps(workflow)


def test_an_id_is_never_used_twice_in_a_line() -> None:
    with pytest.raises(ValueError):
        linear_workflow([EmailNode("start")])
    with pytest.raises(ValueError):
        insert_step(parse_workflow(THREE_MAILS), 0, DelayNode("n5", days=1))


def test_new_ids_skip_those_that_are_taken() -> None:
    assert new_node_id(1) == ("n1", 2)
    assert new_node_id(3, {"n3", "n4", "n6"}) == ("n5", 6)


def ids(workflow: Workflow) -> list[str]:
    return [step.id for step in linear_steps(workflow)]


def test_changes_of_the_list_keep_every_other_node_as_it_was() -> None:
    workflow = parse_workflow(THREE_MAILS)
    longer = insert_step(workflow, 1, DelayNode("n6", days=9))
    assert ids(longer) == ["n1", "n6", "n2", "n3", "n4", "n5"]
    assert ids(insert_step(workflow, 99, DelayNode("n6", days=9)))[-1] == "n6"
    assert ids(move_step(longer, "n6", 4)) == ["n1", "n2", "n3", "n4", "n6", "n5"]
    assert ids(move_step(longer, "n5", 0)) == ["n5", "n1", "n6", "n2", "n3", "n4"]
    assert remove_step(longer, "n6") == workflow
    changed = replace_step(workflow, DelayNode("n2", hours=2))
    assert changed.by_id["n2"] == DelayNode("n2", hours=2)
    assert ids(changed) == ids(workflow)
    for change in (lambda: move_step(workflow, "start", 1), lambda: remove_step(workflow, "end")):
        with pytest.raises(KeyError):
            change()


def test_start_and_end_keep_their_ids_through_changes() -> None:
    workflow = linear_workflow([EmailNode("a")], start_id="s0", end_id="e0")
    changed = remove_step(insert_step(workflow, 0, DelayNode("d", days=1)), "a")
    assert [node.id for node in changed.nodes] == ["s0", "d", "e0"]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.sampled_from(["insert", "move", "remove"]), st.integers(0, 9), st.integers(0, 9))))
def test_any_series_of_changes_leaves_a_straight_line(changes: list[tuple[str, int, int]]) -> None:
    workflow, expected, number = linear_workflow([]), list[str](), 1
    for change, a, b in changes:
        if change == "insert":
            node_id, number = new_node_id(number, workflow.by_id)
            step: Step = DelayNode(node_id, days=1) if b % 2 else EmailNode(node_id)
            workflow = insert_step(workflow, a, step)
            expected.insert(a, node_id)
        elif expected:
            node_id = expected.pop(a % len(expected))
            if change == "move":
                expected.insert(b, node_id)
            workflow = move_step(workflow, node_id, b) if change == "move" else remove_step(workflow, node_id)
    assert ids(workflow) == expected
    assert len({*ids(workflow)}) == len(expected)
    assert all(re.fullmatch(r"n\d+", node_id) for node_id in expected)
