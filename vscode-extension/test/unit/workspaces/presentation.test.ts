import { expect, test } from "vitest";
import {
  contextOfAgent,
  contextOfWorkspace,
  describeAgent,
  describeWorkspace,
  explainAgent,
  explainWorkspace,
  lookOfAgent,
  lookOfWorkspace,
  nameAgent,
  nameWorkspace,
} from "../../../src/workspaces/presentation";
import { buildAgent, buildWorkspace } from "../../support/builders";

test.each([
  ["running", "vm-running", "workspace stoppable"],
  ["starting", "loading~spin", "workspace"],
  ["pending", "loading~spin", "workspace"],
  ["stopping", "loading~spin", "workspace"],
  ["deleting", "loading~spin", "workspace"],
  ["stopped", "vm-outline", "workspace startable"],
  ["failed", "error", "workspace startable stoppable"],
  ["canceled", "vm-outline", "workspace startable stoppable"],
  ["of-another-version", "vm-outline", "workspace"],
])("a workspace that is %s", (status, icon, context) => {
  const workspace = buildWorkspace({ status });
  expect(lookOfWorkspace(workspace).icon).toBe(icon);
  expect(contextOfWorkspace(workspace)).toBe(context);
});

test.each([{ status: "disconnected" }, { status: "timeout" }, { lifecycle: "start_error" }])(
  "a running workspace warns about an agent with %j",
  (values) => {
    const workspace = buildWorkspace({ agents: [buildAgent(), buildAgent({ id: "agent-2", ...values })] });
    expect(lookOfWorkspace(workspace).icon).toBe("warning");
  },
);

test.each([
  [{}, "ready", "pass-filled"],
  [{ lifecycle: "starting" }, "starting up", "loading~spin"],
  [{ lifecycle: "start_error" }, "start-up script failed", "warning"],
  [{ lifecycle: "unheard-of" }, "unheard-of", "pass-filled"],
  [{ status: "connecting", lifecycle: "created" }, "connecting", "loading~spin"],
  [{ status: "disconnected" }, "disconnected", "debug-disconnect"],
  [{ status: "timeout" }, "does not connect", "debug-disconnect"],
])("an agent with %j", (values, description, icon) => {
  const agent = buildAgent(values);
  expect(describeAgent(agent)).toBe(description);
  expect(lookOfAgent(agent).icon).toBe(icon);
});

test("terminals are offered on a connected agent only", () => {
  expect(contextOfAgent(buildAgent())).toBe("agent connected");
  expect(contextOfAgent(buildAgent({ status: "disconnected" }))).toBe("agent");
});

test("names tell no more than is needed", () => {
  const workspace = buildWorkspace();
  expect(nameWorkspace(workspace, "ada")).toBe("demo");
  expect(nameWorkspace(workspace, "bob")).toBe("ada/demo");
  expect(nameWorkspace(workspace, "")).toBe("demo");
  expect(nameAgent(workspace, buildAgent())).toBe("demo");
  const two = buildWorkspace({ agents: [buildAgent(), buildAgent({ id: "agent-2", name: "gpu" })] });
  expect(nameAgent(two, buildAgent({ name: "gpu" }))).toBe("demo.gpu");
});

test("tooltips carry the reason when there is one", () => {
  expect(explainWorkspace(buildWorkspace({ status: "failed", statusReason: "apply failed" }))).toEqual([
    "ada/demo: failed",
    "apply failed",
    "Template: Host",
    "Build 1 (start)",
  ]);
  expect(explainWorkspace(buildWorkspace({ templateDisplayName: "" }))).toContain("Template: host");
  expect(explainAgent(buildAgent({ statusReason: "why" }))).toEqual(["main: ready", "why", "Directory: /home/ada"]);
  expect(explainAgent(buildAgent({ directory: "" }))).toEqual(["main: ready"]);
});

test("a template's newer version is mentioned", () => {
  expect(describeWorkspace(buildWorkspace({ outdated: true }))).toBe("running · update available");
});
