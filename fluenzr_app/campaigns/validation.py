"""What keeps a campaign from starting with its workflow, each fault named by its node (campaigns.md, Workflow)."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from fluenzr_app.campaigns.body import compile_body, compile_subject
from fluenzr_app.campaigns.errors import Fault, TemplateFault
from fluenzr_app.campaigns.nodes import (
    DAYS_MAX,
    DAYS_MIN,
    HOURS_MAX,
    HOURS_MIN,
    ConditionNode,
    DelayNode,
    EmailNode,
    EndNode,
    Node,
    StartNode,
    Workflow,
)
from fluenzr_app.campaigns.template import VariableUse
from fluenzr_app.campaigns.tracked import Off
from fluenzr_app.campaigns.variables import SENDER_VARIABLES, nearest

_TRACKED = {"opened": "opens", "clicked": "clicks"}
_OFF_BY = {
    "workspace": ": the workspace has them off",
    "campaign": ": the campaign has them off",
    "plain_text": ": it leaves as plain text",
}
# Fields of a contact that a condition may compare, though no text shows them.
_FIELDS_ONLY = ("city", "country", "language", "timezone")


def validate(
    workflow: Workflow,
    *,
    known_variables: Collection[str],
    linear_only: bool = False,
    off: Mapping[str, Off] | None = None,
) -> list[Fault]:
    """Return everything that keeps a campaign from starting, in the order of the nodes; an empty list for nothing.

    `known_variables` are the names that texts may use. `linear_only` also refuses conditions and A/B versions
    (`not_supported_yet`). `off` says by mail why it is not tracked; without it only the mails' own switches count.
    """
    faults = [*_start_faults(workflow)]
    reached = _reachable(workflow)
    loops = _loops(workflow)
    firsts = _possible_first_mails(workflow)
    if not any(node.id in reached for node in workflow.emails()):
        faults.append(Fault("no_email", None, {}, "There is no mail in this workflow: add one."))
    has_start = any(workflow.of_kind("start"))
    for node in workflow.nodes:
        if has_start and node.id not in reached and not isinstance(node, StartNode):
            faults.append(_fault("not_connected", node, "is not connected: no way leads here from the start"))
        if node.id in loops:
            faults.append(_fault("loop", node, "leads back to itself: a contact would never reach an end"))
        faults += _way_on_faults(workflow, node)
        if isinstance(node, EmailNode):
            faults += _mail_faults(node, node.id in firsts, known_variables)
        elif isinstance(node, DelayNode):
            faults += _delay_faults(node)
        elif isinstance(node, ConditionNode):
            faults += _condition_faults(workflow, node, known_variables, off)
        if linear_only:
            faults += _later_faults(node)
    return faults


def _named(node: Node) -> str:
    """Return a node's name for a sentence: its own, else its kind and id."""
    name = node.name.strip() if isinstance(node, EmailNode) else ""
    return f"“{name}”" if name else f"The {node.kind} node {node.id}"


def _fault(code: str, node: Node, words: str, **params: object) -> Fault:
    return Fault(code, node.id, params, f"{_named(node)} {words}.")


def _start_faults(workflow: Workflow) -> Iterator[Fault]:
    starts = list(workflow.of_kind("start"))
    if not starts:
        yield Fault("no_start", None, {}, "There is no start in this workflow: add one.")
    for extra in starts[1:]:
        yield _fault("several_starts", extra, "is one start too many: a workflow has exactly one")


def _way_on_faults(workflow: Workflow, node: Node) -> Iterator[Fault]:
    """Yield the faults of the edges that leave a node: one on each way, none behind an end."""
    leaving = workflow.outgoing[node.id]
    branches = [edge.branch for edge in leaving]
    if isinstance(node, EndNode):
        if leaving:
            yield _fault("way_behind_end", node, "is an end, but a way leads on behind it")
        return
    wanted: tuple[str | None, ...] = ("yes", "no") if isinstance(node, ConditionNode) else (None,)
    for branch in wanted:
        side = f" on “{branch}”" if branch else ""
        if branch not in branches:
            words = f"leads nowhere{side}: connect it to a step or an end"
            yield _fault("branch_without_end", node, words, branch=branch)
        elif branches.count(branch) > 1:
            yield _fault("several_ways", node, f"leads to several nodes at once{side}", branch=branch)
    for stray in dict.fromkeys(branch for branch in branches if branch not in wanted):
        words = "has a way on without yes or no" if stray is None else f"is no condition, but has a branch “{stray}”"
        yield _fault("wrong_branch", node, words, branch=stray)


def _reachable(workflow: Workflow) -> set[str]:
    reached: set[str] = set()
    todo = [node.id for node in workflow.of_kind("start")]
    while todo:
        node_id = todo.pop()
        if node_id not in reached:
            reached.add(node_id)
            todo += (edge.target for edge in workflow.outgoing[node_id])
    return reached


def _loops(workflow: Workflow) -> set[str]:
    """Return the nodes that stand on a loop: what is left when nodes without a way in, or without a way out, go."""
    left = set(workflow.by_id)
    while True:
        dead = {
            node_id
            for node_id in left
            if not any(edge.target in left for edge in workflow.outgoing[node_id])
            or not any(edge.source in left for edge in workflow.incoming[node_id])
        }
        if not dead:
            # A way between two loops is left as well, but lies on none: it does not lead back to itself.
            return {node_id for node_id in left if _leads_back(workflow, node_id)}
        left -= dead


def _leads_back(workflow: Workflow, node_id: str) -> bool:
    seen: set[str] = set()
    todo = [edge.target for edge in workflow.outgoing[node_id]]
    while todo:
        at = todo.pop()
        if at == node_id:
            return True
        if at not in seen:
            seen.add(at)
            todo += (edge.target for edge in workflow.outgoing[at])
    return False


def _possible_first_mails(workflow: Workflow) -> set[str]:
    """Return the mails to which a way leads on which no other mail comes before."""
    firsts: set[str] = set()
    seen: set[str] = set()
    todo = [node.id for node in workflow.of_kind("start")]
    while todo:
        node_id = todo.pop()
        if node_id in seen:
            continue
        seen.add(node_id)
        if isinstance(workflow.by_id[node_id], EmailNode):
            firsts.add(node_id)
        else:
            todo += (edge.target for edge in workflow.outgoing[node_id])
    return firsts


def _mail_faults(node: EmailNode, is_first: bool, known: Collection[str]) -> Iterator[Fault]:
    versions = [("", node.subject, node.body)]
    if node.ab is not None:
        versions.append(("ab.", node.ab.subject, node.ab.body))
    for version, subject, body in versions:
        of = " of version B" if version else ""
        if is_first and not subject.strip():
            words = f"has an empty subject{of}: the first mail needs one (an empty subject is a reply in the thread)"
            yield _fault("empty_subject", node, words, place=f"{version}subject")
        yield from _text_faults(node, f"{version}subject", subject, known)
        yield from _text_faults(node, f"{version}body", body, known)


def _text_faults(node: EmailNode, place: str, text: str, known: Collection[str]) -> Iterator[Fault]:
    try:
        if place.endswith("body"):
            body = compile_body(text)
            uses, is_blank = body.variables, body.is_blank
        else:
            uses, is_blank = compile_subject(text).variables, False
    except TemplateFault as fault:
        yield _fault(
            "bad_template",
            node,
            f"cannot be read in its {place}, near “{fault.excerpt}”: {str(fault).rstrip('.')}",
            place=place,
            reason=fault.code,
            position=fault.position,
            excerpt=fault.excerpt,
        )
        return
    if is_blank:
        yield _fault("empty_body", node, f"has nothing to read in its {place}", place=place)
    yield from _unknown_variables(node, place, uses, known)


def _unknown_variables(
    node: EmailNode, place: str, uses: Iterable[VariableUse], known: Collection[str]
) -> Iterator[Fault]:
    for use in uses:
        if use.name in known:
            continue
        meant = nearest(use.name, known)
        hint = f"; did you mean {{{{{meant}}}}}?" if meant else ""
        yield _fault(
            "unknown_variable",
            node,
            f"uses {{{{{use.name}}}}} in its {place}, which is not a known variable{hint}",
            variable=use.name,
            nearest=meant,
            place=place,
        )


def _delay_faults(node: DelayNode) -> Iterator[Fault]:
    if node.days is None and node.hours is None:
        yield _fault("empty_delay", node, "has no duration: choose days or hours")
    elif node.days is not None and not DAYS_MIN <= node.days <= DAYS_MAX:
        words = f"waits {node.days} days: choose {DAYS_MIN} to {DAYS_MAX}"
        yield _fault("delay_out_of_range", node, words, unit="days", value=node.days, min=DAYS_MIN, max=DAYS_MAX)
    elif node.hours is not None and not HOURS_MIN <= node.hours <= HOURS_MAX:
        words = f"waits {node.hours} hours: choose {HOURS_MIN} to {HOURS_MAX}"
        yield _fault("delay_out_of_range", node, words, unit="hours", value=node.hours, min=HOURS_MIN, max=HOURS_MAX)


def _condition_faults(
    workflow: Workflow, node: ConditionNode, known: Collection[str], off: Mapping[str, Off] | None
) -> Iterator[Fault]:
    if node.criterion in _TRACKED:
        yield from _tracked_condition_faults(workflow, node, off)
    elif node.criterion == "field":
        yield from _field_condition_faults(node, known)
    else:
        yield _fault("incomplete_condition", node, "has no criterion: choose one", missing="criterion")


def _field_condition_faults(node: ConditionNode, known: Collection[str]) -> Iterator[Fault]:
    fields = [name for name in (*known, *_FIELDS_ONLY) if name not in SENDER_VARIABLES]
    if not node.field:
        yield _fault("incomplete_condition", node, "names no field to compare", missing="field")
    elif node.field not in fields:
        meant = nearest(node.field, fields)
        hint = f"; did you mean {meant}?" if meant else ""
        words = f"compares “{node.field[:64]}”, which is no field of a contact{hint}"
        yield _fault("unknown_variable", node, words, variable=node.field, nearest=meant, place="field")
    if not node.operator:
        yield _fault("incomplete_condition", node, "does not say how to compare", missing="operator")
    elif node.operator not in ("filled", "empty") and not (node.value or "").strip():
        yield _fault("incomplete_condition", node, "has no value to compare with", missing="value")


def _tracked_condition_faults(
    workflow: Workflow, node: ConditionNode, off: Mapping[str, Off] | None
) -> Iterator[Fault]:
    """Yield what keeps opens or clicks of the mail before from being known at this node."""
    mails: dict[str, EmailNode] = {}
    without_delay = without_mail = False
    seen: set[tuple[str, bool]] = set()
    todo = [(edge.source, False) for edge in workflow.incoming[node.id]]
    while todo:
        node_id, delayed = todo.pop()
        if (node_id, delayed) in seen:
            continue
        seen.add((node_id, delayed))
        before = workflow.by_id[node_id]
        if isinstance(before, EmailNode):
            mails[before.id] = before
            without_delay |= not delayed
        elif isinstance(before, StartNode):
            without_mail = True
        else:
            delayed |= isinstance(before, DelayNode)
            todo += ((edge.source, delayed) for edge in workflow.incoming[node_id])
    if without_mail:
        yield _fault("condition_without_mail", node, "asks about a mail, but none was sent before it")
    if without_delay:
        words = "needs a delay before it: nobody opens a mail the moment it leaves"
        yield _fault("condition_without_delay", node, words)
    tracked = _TRACKED[node.criterion]
    for mail in mails.values():
        why = _off_in(mail, off)
        by = why.opens if tracked == "opens" else why.clicks
        if by:
            words = f"asks about {tracked}, but {_named(mail)} does not track them{_OFF_BY.get(by, '')}"
            yield _fault("tracking_off", node, words, mail=mail.id, tracked=tracked, by=by)


def _off_in(mail: EmailNode, off: Mapping[str, Off] | None) -> Off:
    if off is not None and mail.id in off:
        return off[mail.id]
    return Off("" if mail.track_opens else "mail", "" if mail.track_clicks else "mail")


def _later_faults(node: Node) -> Iterator[Fault]:
    if isinstance(node, ConditionNode):
        words = "is a condition; campaigns with conditions cannot start yet"
        yield _fault("not_supported_yet", node, words, feature="condition")
    if isinstance(node, EmailNode) and node.ab is not None:
        words = "has a version B; campaigns with A/B tests cannot start yet"
        yield _fault("not_supported_yet", node, words, feature="ab")
