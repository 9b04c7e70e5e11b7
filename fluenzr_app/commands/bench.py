"""`fluenzr bench`: measures this machine's engine and prints each figure against its limit."""

from typing import Annotated, Any

import typer

from fluenzr_app.commands.output import answer, refusals_in_words


def bench(
    only: Annotated[str | None, typer.Option("--only", help="send, tick, search, bounces, track or pages")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="smaller numbers, for a first look")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="answer as one JSON object")] = False,
) -> None:
    """Measure sending, planning, searching, reading bounces and openings, each against a limit of the same run."""
    import uvloop

    from fluenzr_app.bench.bounces import measure_bounces
    from fluenzr_app.bench.due import LARGE, measure_tick
    from fluenzr_app.bench.search import measure_search
    from fluenzr_app.bench.send import MAILS, measure_send
    from fluenzr_app.bench.track import HITS, ROUNDS, measure_track

    with refusals_in_words():
        found: dict[str, Any] = {}
        if only in (None, "send"):
            runs = [uvloop.run(measure_send(MAILS // 3 if quick else MAILS)) for _ in range(1 if quick else 3)]
            found["send"] = {**sorted(runs, key=lambda run: run["ratio"])[len(runs) // 2], "at_least": 0.4, "aim": 0.7}
        if only in (None, "tick"):
            found["tick"] = {**measure_tick(large=LARGE // 10 if quick else LARGE), "at_most": 1.5}
        if only in (None, "search"):
            found["search"] = {**measure_search(), "at_most": 2.0}
        if only in (None, "bounces"):
            found["bounces"] = {**measure_bounces(), "at_least": 0.9, "aim": 0.95}
        if only in (None, "track"):
            run = measure_track(HITS, 2) if quick else measure_track(HITS, ROUNDS)
            found["track"] = {**uvloop.run(run), "at_least": 0.4, "aim": 0.6}
        # Asked for by name: it wants a browser, which no installation has to have.
        if only == "pages":
            from fluenzr_app.bench.pages import ROUNDS as OPENINGS
            from fluenzr_app.bench.pages import measure_pages

            found["pages"] = {**measure_pages(1 if quick else OPENINGS), "at_most": 4.5, "aim_usable_ms": 2500}
        answer(found, as_json=as_json)
