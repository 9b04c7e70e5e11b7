"""`/v1/pipelineStages`: the stages between which contacts move (api.md)."""

from fastapi import APIRouter, Response
from sqlmodel import Session

from fluenzr_app.api.caller import Asked
from fluenzr_app.api.envelope import Answer, ListEnvelope, Shape, json_response, page_meta
from fluenzr_app.contacts.stages import StageView, list_stages, make_stages
from fluenzr_app.db.ids import public_id

router = APIRouter(prefix="/pipelineStages", tags=["pipelineStages"])


class StageShape(Shape):
    """A stage of the pipeline. `kind` tells the six that every workspace begins with, and is empty for others."""

    id: str
    name: str
    kind: str
    color: str


@router.get("", response_model=ListEnvelope[StageShape])
async def list_(caller: Asked) -> Response:
    """List the stages in the order of the pipeline, all on one page."""

    def make(session: Session) -> tuple[StageView, ...]:
        return make_stages(session, caller.workspace_id, caller.now)

    stages = await caller.read(lambda session: list_stages(session, caller.workspace_id))
    # A workspace from before there were stages gets them with whoever asks first.
    stages = stages or await caller.in_transaction(make)
    shapes = [
        StageShape(id=public_id("stg", stage.id), name=stage.title, kind=stage.kind, color=stage.color)
        for stage in stages
    ]
    return json_response(Answer(shapes, meta=page_meta(1, max(1, len(shapes)), len(shapes))).body())
