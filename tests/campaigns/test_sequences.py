"""The sequences to begin with are ready to start and read well with and without values."""

import itertools

import pytest

from fluenzr_app.campaigns.sequences import (
    Sequence,
    sequence,
    sequence_workflow,
    sequences,
    unfilled_places,
)
from fluenzr_app.campaigns.variables import compile_body, compile_subject, known_variables, render_mail
from fluenzr_app.campaigns.workflow import (
    DelayNode,
    EmailNode,
    Workflow,
    linear_steps,
    linear_workflow,
    parse_workflow,
    validate,
)

EVERY = [*sequences("fr"), *sequences("en")]
FULL = {"firstName": "Zoé", "company": "Acme", "signature": "Ada"}


def workflow_of(chosen: Sequence) -> Workflow:
    numbers = itertools.count(5)
    return sequence_workflow(chosen, lambda: f"n{next(numbers)}")


@pytest.mark.parametrize("chosen", EVERY, ids=lambda chosen: f"{chosen.key}-{chosen.language}")
def test_a_sequence_is_valid_and_of_the_advised_shape(chosen: Sequence) -> None:
    workflow = workflow_of(chosen)
    assert validate(workflow, known_variables=known_variables(), linear_only=True) == []
    assert parse_workflow(workflow.to_api()) == workflow
    steps = linear_steps(workflow)
    mails = [step for step in steps if isinstance(step, EmailNode)]
    delays = [step for step in steps if isinstance(step, DelayNode)]
    assert 3 <= len(mails) <= 4
    assert len(delays) == len(mails) - 1
    assert all(3 <= (delay.days or 0) <= 5 for delay in delays)
    assert mails[0].subject
    assert all(mail.subject == "" for mail in mails[1:]), "follow-ups stay in the thread"
    assert len({mail.name for mail in mails}) == len(mails)


@pytest.mark.parametrize("chosen", EVERY, ids=lambda chosen: f"{chosen.key}-{chosen.language}")
def test_a_sequence_reads_well_for_a_contact_without_any_value(chosen: Sequence) -> None:
    for mail in (node for node in workflow_of(chosen).nodes if isinstance(node, EmailNode)):
        subject, body = compile_subject(mail.subject), compile_body(mail.body)
        assert {use.name for use in (*subject.variables, *body.variables) if not use.guarded} <= {"signature"}
        assert body.missing({"signature": "Ada"}) == subject.missing({}) == ()
        for values in ({"signature": "Ada"}, FULL):
            rendered = render_mail(subject, body, values, plain_only=False)
            assert "{{" not in f"{rendered.subject}{rendered.html}{rendered.text}"
            assert not any(gap in rendered.text for gap in (" ,", "  ", " .", "\n\n\n"))
            assert len(rendered.subject) <= 50


def test_both_languages_offer_the_same_sequences() -> None:
    assert [each.key for each in sequences("fr")] == [each.key for each in sequences("en")]
    assert len({each.key for each in EVERY}) >= 3
    assert sequence("first_contact", "fr").language == "fr"
    assert sequence("first_contact", "fr-CA").name == "Premier contact"
    assert sequence("first_contact", "de").language == "en"
    with pytest.raises(KeyError):
        sequence("nothing", "fr")


def test_each_node_gets_an_id_of_its_own() -> None:
    workflow = workflow_of(sequence("former_customers", "fr"))
    assert len({node.id for node in workflow.nodes}) == len(workflow.nodes)
    assert {node.id for node in workflow.nodes} == {f"n{n}" for n in range(5, 5 + len(workflow.nodes))}


def test_places_that_nobody_filled_in_are_found() -> None:
    workflow = workflow_of(sequence("event_follow_up", "en"))
    risks = unfilled_places(workflow)
    assert {risk.params["place"] for risk in risks} == {"[event]", "[the document, the link]"}
    assert all(risk.node_id in workflow.by_id for risk in risks)
    own = EmailNode("a", name="Mine", subject="Ours [1] and [yours]", body="<p>[sic]</p>")
    assert unfilled_places(linear_workflow([own])) == []
