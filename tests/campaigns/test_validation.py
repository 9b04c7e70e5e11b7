"""What keeps a campaign from starting is named by node."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from fluenzr_app.campaigns.tracked import Off
from fluenzr_app.campaigns.variables import known_variables
from fluenzr_app.campaigns.workflow import (
    ConditionNode,
    DelayNode,
    Edge,
    EmailNode,
    EndNode,
    Fault,
    Node,
    StartNode,
    Variant,
    Workflow,
    linear_workflow,
    validate,
)

KNOWN = known_variables(["team_size"])
MAIL = EmailNode("m1", name="Hello", subject="Hi {{firstName|there}}", body="<p>Hi {{team_size}}</p>")
DELAY = DelayNode("d1", days=3)
REPLY = EmailNode("m2", name="Again", body="<p>Still there?</p>")


def codes(workflow: Workflow, **options: Any) -> list[tuple[str, str | None]]:
    return [(fault.code, fault.node_id) for fault in validate(workflow, known_variables=KNOWN, **options)]


def only(workflow: Workflow) -> Fault:
    faults = validate(workflow, known_variables=KNOWN)
    assert len(faults) == 1, faults
    return faults[0]


def graph(*nodes: Node, edges: str) -> Workflow:
    """Return a workflow whose edges are written as `a>b` or, with a branch, `a>b:yes`."""
    pairs = [edge.partition(":") for edge in edges.split()]
    ends = ((*pair.partition(">")[::2], branch or None) for pair, _, branch in pairs)
    return Workflow((StartNode("s"), *nodes), tuple(Edge(source, target, branch) for source, target, branch in ends))


def test_a_sound_sequence_has_no_fault() -> None:
    assert codes(linear_workflow([MAIL, DELAY, REPLY]), linear_only=True) == []


def test_a_sound_fork_has_no_fault() -> None:
    fork = graph(
        MAIL,
        DELAY,
        ConditionNode("c", criterion="opened"),
        REPLY,
        EndNode("e"),
        EndNode("f"),
        edges="s>m1 m1>d1 d1>c c>m2:no m2>e c>f:yes",
    )
    assert codes(fork) == []


@pytest.mark.parametrize(
    ("workflow", "expected"),
    [
        (Workflow((MAIL, EndNode("e")), (Edge("m1", "e"),)), [("no_start", None), ("no_email", None)]),
        (
            graph(MAIL, StartNode("s2"), EndNode("e"), edges="s>m1 m1>e s2>m1"),
            [("several_starts", "s2")],
        ),
        (graph(EndNode("e"), edges="s>e"), [("no_email", None)]),
        (graph(MAIL, EndNode("e"), REPLY, edges="s>m1 m1>e m2>e"), [("not_connected", "m2")]),
        (graph(MAIL, EndNode("e"), EndNode("f"), edges="s>m1 m1>e"), [("not_connected", "f")]),
        (graph(MAIL, edges="s>m1"), [("branch_without_end", "m1")]),
        (
            graph(MAIL, EndNode("e"), edges="m1>e"),
            [
                ("no_email", None),
                ("branch_without_end", "s"),
                ("not_connected", "m1"),
                ("not_connected", "e"),
            ],
        ),
        (graph(MAIL, DELAY, edges="s>m1 m1>d1 d1>m1"), [("loop", "m1"), ("loop", "d1")]),
        (graph(MAIL, DELAY, edges="s>m1 m1>d1 d1>d1"), [("loop", "d1")]),
        (
            graph(MAIL, EndNode("e"), REPLY, edges="s>m1 m1>e e>m2 m2>e"),
            [
                ("loop", "e"),
                ("way_behind_end", "e"),
                ("loop", "m2"),
            ],
        ),
        (graph(MAIL, DELAY, EndNode("e"), edges="s>m1 m1>d1 m1>e d1>e"), [("several_ways", "m1")]),
        (graph(MAIL, EndNode("e"), edges="s>m1 m1>e:yes"), [("branch_without_end", "m1"), ("wrong_branch", "m1")]),
    ],
)
def test_faults_of_the_graph_name_their_nodes(workflow: Workflow, expected: list[tuple[str, str | None]]) -> None:
    assert codes(workflow) == expected


def test_a_way_between_two_loops_is_no_loop() -> None:
    second = DelayNode("d2", days=1)
    third = DelayNode("d3", days=1)
    workflow = graph(MAIL, DELAY, second, third, edges="s>m1 m1>d1 d1>m1 d1>d2 d2>d3 d3>d3")
    assert [node_id for code, node_id in codes(workflow) if code == "loop"] == ["m1", "d1", "d3"]


def test_both_branches_of_a_condition_lead_somewhere() -> None:
    condition = ConditionNode("c", criterion="field", field="company", operator="filled")
    workflow = graph(condition, MAIL, EndNode("e"), edges="s>c c>m1:yes m1>e")
    fault = only(workflow)
    assert (fault.code, fault.node_id, fault.params) == ("branch_without_end", "c", {"branch": "no"})
    assert "“no”" in fault.message
    both = graph(condition, MAIL, EndNode("e"), edges="s>c c>m1:yes c>e:no c>e:yes c>e m1>e")
    assert codes(both) == [("several_ways", "c"), ("wrong_branch", "c")]


@pytest.mark.parametrize("subject", ["", "   ", "\t"])
def test_the_first_mail_needs_a_subject_and_only_the_first(subject: str) -> None:
    fault = only(linear_workflow([DELAY, replace(MAIL, subject=subject), DelayNode("d2", hours=4), REPLY]))
    assert (fault.code, fault.node_id) == ("empty_subject", "m1")
    assert "Hello" in fault.message


def test_each_mail_that_can_come_first_needs_a_subject() -> None:
    condition = ConditionNode("c", criterion="field", field="company", operator="filled")
    workflow = graph(
        condition, MAIL, replace(REPLY, id="m3"), REPLY, EndNode("e"), edges="s>c c>m1:yes c>m3:no m1>m2 m3>m2 m2>e"
    )
    assert codes(workflow) == [("empty_subject", "m3")]


@pytest.mark.parametrize(
    "body", ["", "  \n", "<p></p>", "<p>&nbsp;</p><br>", "<div><br></div>", "<p><script>x</script></p>"]
)
def test_a_body_without_anything_to_read_is_empty(body: str) -> None:
    fault = only(linear_workflow([replace(MAIL, body=body)]))
    assert (fault.code, fault.node_id, fault.params) == ("empty_body", "m1", {"place": "body"})


@pytest.mark.parametrize(
    ("text", "variable", "meant"),
    [
        ("{{first_name}}", "first_name", "firstName"),
        ("{{prénom|vous}}", "prénom", "firstName"),
        ("{{Firstname:uppercase}}", "Firstname", "firstName"),
        ("{{#if entreprise}}x{{/if}}", "entreprise", "company"),
        ("{{teamsize}}", "teamsize", "team_size"),
        ("{{xyzzy}}", "xyzzy", None),
    ],
)
def test_an_unknown_variable_is_told_with_the_nearest_name(text: str, variable: str, meant: str | None) -> None:
    fault = only(linear_workflow([replace(MAIL, body=f"<p>Hello {text}</p>")]))
    assert (fault.code, fault.node_id) == ("unknown_variable", "m1")
    assert fault.params == {"variable": variable, "nearest": meant, "place": "body"}
    assert (f"did you mean {{{{{meant}}}}}" in fault.message) == (meant is not None)


def test_unknown_variables_are_found_in_subjects_and_links_too() -> None:
    mail = replace(MAIL, subject="{{nom}}", body='<p>See <a href="https://acme.example/{{site}}">this</a></p>')
    faults = validate(linear_workflow([mail]), known_variables=KNOWN)
    assert [(fault.params["place"], fault.params["nearest"]) for fault in faults] == [
        ("subject", "lastName"),
        ("body", "website"),
    ]


def test_a_text_that_cannot_be_read_is_told_with_its_place() -> None:
    fault = only(linear_workflow([replace(MAIL, subject="Hi {{firstName")]))
    assert fault.code == "bad_template"
    assert fault.params == {
        "place": "subject",
        "reason": "unclosed_variable",
        "position": 3,
        "excerpt": "{{firstName",
    }
    assert "“{{firstName”" in fault.message


@pytest.mark.parametrize(
    ("delay", "expected"),
    [
        (DelayNode("d1", days=1), []),
        (DelayNode("d1", days=30), []),
        (DelayNode("d1", hours=1), []),
        (DelayNode("d1", hours=24), []),
        (DelayNode("d1", days=0), [("delay_out_of_range", "d1")]),
        (DelayNode("d1", days=31), [("delay_out_of_range", "d1")]),
        (DelayNode("d1", hours=0), [("delay_out_of_range", "d1")]),
        (DelayNode("d1", hours=25), [("delay_out_of_range", "d1")]),
        (DelayNode("d1"), [("empty_delay", "d1")]),
    ],
)
def test_delays_are_1_to_30_days_or_1_to_24_hours(delay: DelayNode, expected: list[tuple[str, str]]) -> None:
    assert codes(linear_workflow([MAIL, delay, REPLY])) == expected


def condition_after(*between: Node, condition: ConditionNode, mail: EmailNode = MAIL) -> Workflow:
    line = ["s", mail.id, *(node.id for node in between), condition.id]
    edges = " ".join(f"{a}>{b}" for a, b in pairwise(line))
    return graph(mail, *between, condition, EndNode("e"), edges=f"{edges} {condition.id}>e:yes {condition.id}>e:no")


@pytest.mark.parametrize("criterion", ["opened", "clicked"])
def test_a_condition_on_a_mail_needs_a_delay_before_it(criterion: str) -> None:
    condition = ConditionNode("c", criterion=criterion)
    assert codes(condition_after(DELAY, condition=condition)) == []
    assert codes(condition_after(condition=condition)) == [("condition_without_delay", "c")]


def test_a_condition_on_a_mail_needs_that_mail_to_be_tracked() -> None:
    silent = replace(MAIL, track_opens=False)
    assert codes(condition_after(DELAY, condition=ConditionNode("c", "opened"), mail=silent)) == [("tracking_off", "c")]
    assert codes(condition_after(DELAY, condition=ConditionNode("c", "clicked"), mail=silent)) == []
    silent = replace(MAIL, track_clicks=False)
    fault = only(condition_after(DELAY, condition=ConditionNode("c", "clicked"), mail=silent))
    assert (fault.code, fault.params) == ("tracking_off", {"mail": "m1", "tracked": "clicks", "by": "mail"})


@pytest.mark.parametrize("by", ["workspace", "campaign", "plain_text"])
def test_a_condition_is_refused_by_whatever_keeps_its_mail_from_being_tracked(by: str) -> None:
    workflow = condition_after(DELAY, condition=ConditionNode("c", "opened"))
    (fault,) = validate(workflow, known_variables=KNOWN, off={"m1": Off(opens=by)})
    assert (fault.code, fault.node_id, fault.params["by"]) == ("tracking_off", "c", by)
    assert validate(workflow, known_variables=KNOWN, off={"m1": Off(clicks=by)}) == []


def test_a_condition_on_a_mail_needs_a_mail_before_it() -> None:
    condition = ConditionNode("c", "opened")
    workflow = graph(DELAY, condition, MAIL, EndNode("e"), edges="s>d1 d1>c c>m1:yes c>e:no m1>e")
    assert codes(workflow) == [("condition_without_mail", "c")]


def test_a_delay_counts_for_every_condition_behind_it_but_not_for_another_way() -> None:
    first, second = ConditionNode("c", "opened"), ConditionNode("k", "clicked")
    chained = graph(MAIL, DELAY, first, second, EndNode("e"), edges="s>m1 m1>d1 d1>c c>k:yes c>e:no k>e:yes k>e:no")
    assert codes(chained) == []
    fork = ConditionNode("c", "field", field="city", operator="equals", value="Lyon")
    beside = graph(MAIL, fork, DELAY, second, EndNode("e"), edges="s>m1 m1>c c>d1:yes d1>k c>k:no k>e:yes k>e:no")
    assert codes(beside) == [("condition_without_delay", "k")]


@pytest.mark.parametrize(
    ("condition", "missing"),
    [
        (ConditionNode("c"), "criterion"),
        (ConditionNode("c", "field", operator="filled"), "field"),
        (ConditionNode("c", "field", field="company"), "operator"),
        (ConditionNode("c", "field", field="company", operator="equals", value=" "), "value"),
    ],
)
def test_an_unfinished_condition_says_what_is_missing(condition: ConditionNode, missing: str) -> None:
    fault = only(condition_after(DELAY, condition=condition))
    assert (fault.code, fault.params) == ("incomplete_condition", {"missing": missing})


@pytest.mark.parametrize("field", ["societe", "signature"])
def test_a_condition_compares_fields_of_a_contact_only(field: str) -> None:
    condition = ConditionNode("c", "field", field=field, operator="filled")
    assert only(condition_after(DELAY, condition=condition)).code == "unknown_variable"


def test_version_b_is_checked_like_the_first_one() -> None:
    mail = replace(MAIL, ab=Variant(subject="", body="<p>{{prenom}}</p>"))
    faults = validate(linear_workflow([mail]), known_variables=KNOWN)
    assert [(fault.code, fault.params["place"]) for fault in faults] == [
        ("empty_subject", "ab.subject"),
        ("unknown_variable", "ab.body"),
    ]


def test_what_comes_later_is_refused_only_when_asked() -> None:
    mail = replace(MAIL, ab=Variant(subject="B", body="B"))
    workflow = condition_after(DELAY, condition=ConditionNode("c", "opened"), mail=mail)
    assert codes(workflow) == []
    assert codes(workflow, linear_only=True) == [("not_supported_yet", "m1"), ("not_supported_yet", "c")]


def test_every_message_is_a_sentence() -> None:
    workflow = graph(replace(MAIL, subject="", body=""), DelayNode("d1"), ConditionNode("c"), edges="s>m1 m1>d1")
    faults = validate(workflow, known_variables=KNOWN)
    assert len(faults) >= 6
    assert all(fault.message[0].isupper() or fault.message[0] == "“" for fault in faults)
    assert all(fault.message.endswith(".") for fault in faults)
