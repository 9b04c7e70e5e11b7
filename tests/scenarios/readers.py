"""What becomes of each reader's mail, and the events that must be left of it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tests.scenarios.reading import CHROME, Letter, click, open_mail, step_into_trap
from tests.tracking.agents_table import TABLE, Row

SCANNER = next(row for row in TABLE if row.rule == "scanner" and row.method == "GET")
APPLE = next(row for row in TABLE if row.rule == "proxy_apple")

Told = tuple[str, bool, str, str]
"""An event: its type, whether a machine's, the rule that judged it, the link as its author wrote it."""
Act = Callable[[Letter], object]


def _nothing(_: Letter) -> None:
    pass


@dataclass(frozen=True)
class Story:
    """What becomes of one mail two seconds after it left, an hour later, half a minute after that and the next day.

    `told` are the events that are left of it in the end.
    """

    name: str
    told: frozenset[Told]
    soon: Act = _nothing
    then: Act = _nothing
    shortly: Act = _nothing
    next_day: Act = _nothing


def stories_of(written: tuple[str, str, str]) -> list[Story]:
    """One for each row of the table and each thing that it asks for, then those that only behaviour gives away."""
    told_open = frozenset({("opened", False, "person", "")})
    stories = []
    asked = [(row, kind) for row in TABLE for kind in row.kinds]
    for number, (row, kind) in enumerate(asked):
        told = _told_of_opening(row) if kind == "open" else clicked(row.rule or "person", written[1])
        if kind == "click" and row.rule == "":
            told |= {("opened", False, "by_click", "")}
        act: Act = partial(open_mail, row=row) if kind == "open" else partial(_click_at, 1, row)
        # The person behind a filter reads the mail as well, later.
        later = row.rule != "" and not row.person and number % 3 == 0
        stories.append(
            Story(
                f"{row.name}, {kind}",
                told | told_open if later else told,
                then=act,
                next_day=open_mail if later else _nothing,
            )
        )
    return [*stories, *_behaviours(written)]


def _behaviours(written: tuple[str, str, str]) -> list[Story]:
    offer, prices, about = written
    opened, too_soon = frozenset({("opened", False, "person", "")}), frozenset({("opened", True, "too_soon", "")})
    trapped: frozenset[Told] = frozenset({("clicked", True, "trap", "")})
    by_click: frozenset[Told] = frozenset({("opened", False, "by_click", "")})
    return [
        Story("nobody", frozenset()),
        Story("opened twice", opened, then=open_mail, shortly=open_mail, next_day=open_mail),
        Story("opened before it was there", too_soon, soon=open_mail),
        Story("scanned, then opened", too_soon | opened, soon=open_mail, next_day=open_mail),
        Story("clicked before it was there", clicked("too_soon", offer), soon=partial(_click_at, 0, CHROME)),
        Story("a scanner at once", frozenset({("opened", True, "scanner", "")}), soon=partial(open_mail, row=SCANNER)),
        Story(
            "two links in a minute",
            clicked("person", offer, prices) | by_click,
            then=partial(_click_at, 0, CHROME),
            shortly=partial(_click_at, 1, CHROME),
        ),
        Story(
            "all links at once, and the pixel",
            clicked("all_links", offer, prices, about) | {("opened", True, "burst", "")},
            then=_take_everything,
        ),
        Story(
            "all links at once, and a person the next day",
            clicked("all_links", offer, prices, about)
            | {("opened", True, "burst", "")}
            | clicked("person", about)
            | by_click,
            then=_take_everything,
            next_day=partial(_click_at, 2, CHROME),
        ),
        Story(
            "the hidden link and what came with it",
            trapped | {("link_clicked", True, "burst", prices), ("opened", True, "burst", "")},
            then=_take_trap_and_pixel,
            shortly=partial(_click_at, 1, CHROME),
        ),
        Story(
            "the hidden link, and a person the next day",
            trapped | opened | clicked("person", offer),
            then=step_into_trap,
            next_day=_read_and_click,
        ),
        Story(
            "Apple's proxy, and a person's click",
            frozenset({("opened", True, "proxy_apple", "")}) | clicked("person", offer) | by_click,
            then=partial(open_mail, row=APPLE),
            next_day=partial(_click_at, 0, CHROME),
        ),
    ]


def _told_of_opening(row: Row) -> frozenset[Told]:
    return frozenset({("opened", not row.person, row.rule or "person", "")})


def clicked(rule: str, first: str, *others: str) -> frozenset[Told]:
    """What is left of clicks on these links, in this order."""
    machine = rule != "person"
    links = {("link_clicked", machine, rule, link) for link in (first, *others)}
    return frozenset({("clicked", machine, rule, first), *links})


def _click_at(place: int, row: Row, letter: Letter) -> None:
    click(letter.links[place], row)


def _take_everything(letter: Letter) -> None:
    open_mail(letter)
    for link in letter.links[:3]:
        click(link)


def _take_trap_and_pixel(letter: Letter) -> None:
    step_into_trap(letter)
    open_mail(letter)


def _read_and_click(letter: Letter) -> None:
    open_mail(letter)
    click(letter.links[0])
