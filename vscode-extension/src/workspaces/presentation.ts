import type { Agent, Workspace } from "../bridge/messages";

/** An icon of VS Code's set and a colour of its themes. */
export interface Look {
  readonly icon: string;
  readonly color?: string;
}

const GREEN = "charts.green";
const YELLOW = "charts.yellow";
const RED = "charts.red";
const GREY = "disabledForeground";

const BUSY: Look = { icon: "loading~spin", color: YELLOW };

const STATUS_TEXTS: Readonly<Record<string, string>> = {
  pending: "waiting in the queue",
  canceling: "canceling",
};

const LIFECYCLE_TEXTS: Readonly<Record<string, string>> = {
  created: "connected",
  starting: "starting up",
  start_timeout: "start-up script takes long",
  start_error: "start-up script failed",
  ready: "ready",
  shutting_down: "shutting down",
  shutdown_timeout: "shutdown script takes long",
  shutdown_error: "shutdown script failed",
  off: "off",
};

const UNHEALTHY = new Set(["start_timeout", "start_error", "shutdown_timeout", "shutdown_error"]);
const BUSY_LIFECYCLES = new Set(["created", "starting", "shutting_down"]);

/** What a workspace is called: with its owner when that is somebody else. */
export function nameWorkspace(workspace: Workspace, username: string): string {
  return username && workspace.ownerName !== username ? `${workspace.ownerName}/${workspace.name}` : workspace.name;
}

/** What an agent is called in titles: `demo`, or `demo.second` where there are several. */
export function nameAgent(workspace: Workspace, agent: Agent): string {
  return workspace.agents.length > 1 ? `${workspace.name}.${agent.name}` : workspace.name;
}

export function describeWorkspace(workspace: Workspace): string {
  const status = STATUS_TEXTS[workspace.status] ?? workspace.status;
  return workspace.outdated ? `${status} · update available` : status;
}

export function lookOfWorkspace(workspace: Workspace): Look {
  switch (workspace.status) {
    case "running":
      return isHealthy(workspace) ? { icon: "vm-running", color: GREEN } : { icon: "warning", color: YELLOW };
    case "pending":
    case "starting":
    case "stopping":
    case "canceling":
    case "deleting":
      return BUSY;
    case "failed":
      return { icon: "error", color: RED };
    default:
      return { icon: "vm-outline", color: GREY };
  }
}

export function describeAgent(agent: Agent): string {
  if (agent.status !== "connected") return agent.status === "timeout" ? "does not connect" : agent.status;
  return LIFECYCLE_TEXTS[agent.lifecycle] ?? agent.lifecycle;
}

export function lookOfAgent(agent: Agent): Look {
  switch (agent.status) {
    case "connected":
      if (UNHEALTHY.has(agent.lifecycle)) return { icon: "warning", color: YELLOW };
      if (BUSY_LIFECYCLES.has(agent.lifecycle)) return BUSY;
      return { icon: "pass-filled", color: GREEN };
    case "connecting":
      return BUSY;
    default:
      return { icon: "debug-disconnect", color: RED };
  }
}

/** Words that the menus of package.json look for. */
export function contextOfWorkspace(workspace: Workspace): string {
  const words = ["workspace"];
  if (isStartable(workspace)) words.push("startable");
  if (isStoppable(workspace)) words.push("stoppable");
  return words.join(" ");
}

export function contextOfAgent(agent: Agent): string {
  return agent.status === "connected" ? "agent connected" : "agent";
}

export function isStartable(workspace: Workspace): boolean {
  return ["stopped", "failed", "canceled"].includes(workspace.status);
}

export function isStoppable(workspace: Workspace): boolean {
  return ["running", "failed", "canceled"].includes(workspace.status);
}

/** Lines of a workspace's tooltip. */
export function explainWorkspace(workspace: Workspace): string[] {
  const template = workspace.templateDisplayName || workspace.templateName;
  return [
    `${workspace.ownerName}/${workspace.name}: ${describeWorkspace(workspace)}`,
    ...(workspace.statusReason ? [workspace.statusReason] : []),
    `Template: ${template}`,
    `Build ${workspace.buildNumber} (${workspace.transition})`,
  ];
}

/** Lines of an agent's tooltip. */
export function explainAgent(agent: Agent): string[] {
  return [
    `${agent.name}: ${describeAgent(agent)}`,
    ...(agent.statusReason ? [agent.statusReason] : []),
    ...(agent.directory ? [`Directory: ${agent.directory}`] : []),
  ];
}

/** Whether everything of a running workspace is as it should be, as far as can be told now. */
function isHealthy(workspace: Workspace): boolean {
  return workspace.agents.every(
    (agent) => ["connected", "connecting"].includes(agent.status) && !UNHEALTHY.has(agent.lifecycle),
  );
}
