"""Whatever a user changes leaves a row that says who did what to which thing."""

from __future__ import annotations

from tests.support.workshop import Workshop


async def read_audit(workshop: Workshop) -> set[tuple[str, str, str]]:
    query = (
        "SELECT u.username, a.action, a.resource_type || ' ' || a.resource_target || ' ' || a.additional_fields AS what"
    )
    async with workshop.database.read() as connection:
        rows = await connection.exec_driver_sql(f"{query} FROM audit_logs a JOIN users u ON u.id = a.user_id")
        return {(str(row.username), str(row.action), str(row.what)) for row in rows.all()}


async def test_each_change_is_recorded(workshop: Workshop) -> None:
    template = await workshop.add_template("docker")
    workspace = await workshop.add_workspace(template, "dev")
    renamed = await workshop.call(workshop.member, "PATCH", f"/workspaces/{workspace['id']}", {"name": "prod"})
    assert renamed.status == 204
    build = await workshop.add_build(workspace, "stop", run=False)
    assert (await workshop.call(workshop.member, "PATCH", f"/workspacebuilds/{build['id']}/cancel")).status == 200
    await workshop.add_build(workspace, "delete")
    version = await workshop.add_version(template_id=template["id"], name="v2")
    path = f"/templateversions/{version['id']}"
    for method, below, body in (
        ("PATCH", "", {"name": "v3"}),
        ("POST", "/archive", None),
        ("POST", "/unarchive", None),
    ):
        assert (await workshop.call(workshop.owner, method, path + below, body)).status == 200
    waiting = await workshop.add_version(template_id=template["id"], name="v4", run=False)
    canceled = await workshop.call(workshop.owner, "PATCH", f"/templateversions/{waiting['id']}/cancel")
    assert canceled.status == 200
    assert (await workshop.call(workshop.owner, "DELETE", f"/templates/{template['id']}")).status == 200

    found = await read_audit(workshop)

    expected = [
        ("olga", "create", "file "),
        ("olga", "create", "template_version v2"),
        ("olga", "create", "template docker"),
        ("mia", "create", "workspace dev"),
        ("mia", "start", "workspace_build dev"),
        ("mia", "write", 'workspace dev {"name":"prod"}'),
        ("mia", "stop", "workspace_build prod"),
        ("mia", "write", 'workspace_build prod {"job":"canceled"}'),
        ("mia", "delete", "workspace_build prod"),
        ("olga", "write", 'template_version v2 {"name":"v3"}'),
        ("olga", "write", 'template_version v3 {"archived":"true"}'),
        ("olga", "write", 'template_version v3 {"archived":"false"}'),
        ("olga", "write", 'template_version v4 {"job":"canceled"}'),
        ("olga", "delete", "template docker"),
    ]
    missing = [
        each for each in expected if not any(row[:2] == each[:2] and row[2].startswith(each[2]) for row in found)
    ]
    assert missing == [], found
