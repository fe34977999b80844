from __future__ import annotations

from genba_gateway.domain.provisioning import ImportResult, TemplateVariable
from genba_gateway.services.dry_run_jobs import DryRunValues
from genba_wire.api.dry_runs import CreateDryRunRequest
from genba_wire.api.templates import VariableValue
from tests.support.workshop import Workshop


async def test_the_versions_own_variables_are_used_and_those_that_were_given_win(workshop: Workshop) -> None:
    variables = tuple(
        TemplateVariable(name=name, value=f"{name} of the author", sensitive=name == "token")
        for name in ("socket", "token")
    )
    workshop.provisioner.imported = ImportResult((), variables, (), ())
    version = await workshop.add_version()
    request = CreateDryRunRequest(user_variable_values=[VariableValue(name="socket", value="mine")])
    await workshop.services.dry_runs.create(workshop.owner.actor, version["id"], request)
    await workshop.run_next()
    assert workshop.provisioner.imports[-1].variables == {"socket": "mine", "token": "token of the author"}


async def test_a_dry_run_asks_for_no_plan_of_a_stop_and_knows_no_key_of_the_owner(workshop: Workshop) -> None:
    version = await workshop.add_version()
    job, _ = await workshop.services.dry_runs.create(workshop.owner.actor, version["id"], CreateDryRunRequest())
    done = await workshop.run_next()
    assert (done.id, done.error) == (job.id, "")
    request = workshop.provisioner.imports[-1]
    assert request.is_dry_run
    assert request.environment["CODER_WORKSPACE_NAME"] == "default"
    assert request.environment["CODER_WORKSPACE_OWNER_SSH_PRIVATE_KEY"] == ""
    assert workshop.provisioner.directories == {}


def test_values_keep_their_kinds() -> None:
    values = DryRunValues({"a": "1"}, {"a": "2"})
    assert DryRunValues.decode(values.encode()) == values
