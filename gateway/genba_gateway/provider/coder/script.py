"""`coder_script`: a script that the agent runs at start, at stop or on a schedule."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from genba_gateway.provider.checks import within
from genba_gateway.provider.coder.cron import find_schedule_problem, has_five_fields
from genba_gateway.provider.context import Session
from genba_gateway.provider.problems import Problem
from genba_gateway.provider.schema import Attribute, Block, DeclaredResource, Mode, Schema, computed_id
from genba_gateway.provider.values import Fields, Object, Primitive, Value

BOOL = Primitive.BOOL
REQUIRED = Mode.REQUIRED
OCCASIONS = ("run_on_start", "run_on_stop", "cron")


def _is_schedule(value: Value) -> str | None:
    return find_schedule_problem(str(value))


SCHEMA = Schema(
    Block(
        (
            computed_id(),
            Attribute("agent_id", mode=REQUIRED, description="The agent that runs it."),
            Attribute("display_name", mode=REQUIRED, description="Name that users see."),
            Attribute("log_path", description="File in the workspace that its output goes to."),
            Attribute("icon", description="Where its picture is."),
            Attribute("script", mode=REQUIRED, description="What is run."),
            Attribute("cron", checks=(_is_schedule,), description="When it is run: six fields, seconds first."),
            Attribute("start_blocks_login", BOOL, default=False, description="Sessions wait for it."),
            Attribute("run_on_start", BOOL, default=False, description="Run it when the agent starts."),
            Attribute("run_on_stop", BOOL, default=False, description="Run it before the agent ends."),
            Attribute(
                "timeout",
                Primitive.NUMBER,
                default=0,
                checks=(within(1),),
                description="Seconds after which it is ended; without, it may run as long as it likes.",
            ),
        ),
        description="A script that an agent runs at start, at stop or on a schedule.",
    ),
    version=1,
)


class Script(DeclaredResource):
    """The script."""

    name = "coder_script"
    schema = SCHEMA

    def find_problems(self, config: Fields) -> Sequence[Problem]:
        """Refuse a script that never runs and one that logins wait for though it isn't run at start."""
        problems: list[Problem] = []
        if not any(config.is_unknown(each) or config.flag(each) or config.text(each) for each in OCCASIONS):
            detail = f"Set at least one of {', '.join(OCCASIONS)}."
            problems.append(Problem("The script never runs", detail))
        starts = config.flag("run_on_start") or config.is_unknown("run_on_start")
        if config.flag("start_blocks_login") and not starts:
            detail = "Sessions can only wait for a script that runs at start. Set run_on_start = true as well."
            problems.append(Problem("start_blocks_login needs run_on_start", detail, ("start_blocks_login",)))
        cron = config.text("cron")
        if has_five_fields(cron) and find_schedule_problem(cron) is None:
            detail = f"Its fields are taken as minute to day of the week. Write '0 {cron}' to say so."
            problems.append(Problem("The schedule has five fields, not six", detail, ("cron",), is_warning=True))
        return problems

    async def create(self, session: Session, planned: Fields) -> Object:
        """Make its id."""
        del session, planned
        return {"id": str(uuid.uuid4())}
