import type { Agent, Workspace } from "../../src/bridge/messages";

export function buildAgent(values: Partial<Agent> = {}): Agent {
  return {
    id: "agent-1",
    name: "main",
    status: "connected",
    statusReason: "",
    lifecycle: "ready",
    directory: "/home/ada",
    ...values,
  };
}

export function buildWorkspace(values: Partial<Workspace> = {}): Workspace {
  return {
    id: "workspace-1",
    name: "demo",
    ownerName: "ada",
    templateName: "host",
    templateDisplayName: "Host",
    status: "running",
    statusReason: "",
    outdated: false,
    url: "http://gateway/workspaces",
    agents: [buildAgent()],
    buildId: "build-1",
    buildNumber: 1,
    transition: "start",
    ...values,
  };
}
