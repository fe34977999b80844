import * as vscode from "vscode";
import type { Agent, StreamResult, Workspace } from "../bridge/messages";
import type { Bridge } from "../bridge/requests";
import type { OpenStream } from "../bridge/stream";
import type { BackoffParts } from "../core/backoff";
import { nameAgent } from "../workspaces/presentation";
import type { WorkspaceBook } from "../workspaces/workspaceBook";
import { LogFollower } from "./logFollower";

interface Followed {
  readonly channel: vscode.OutputChannel;
  readonly follower: LogFollower;
  /** The build or agent to follow now; undefined when there is none at the moment. */
  readonly findTarget: () => string | undefined;
}

/** One output channel for each log that was asked for; it goes on into the next build, and the next agent. */
export class LogChannels implements vscode.Disposable {
  private readonly followed = new Map<string, Followed>();
  private readonly subscription: vscode.Disposable;

  constructor(
    private readonly bridge: Bridge,
    private readonly book: WorkspaceBook,
    private readonly openStream: OpenStream,
    private readonly time: BackoffParts,
  ) {
    this.subscription = book.onDidChange(() => {
      for (const each of this.followed.values()) void followOn(each);
    });
  }

  async showBuildLog(workspace: Workspace): Promise<void> {
    const { id, name } = workspace;
    await this.show(`build:${id}`, `Genba build: ${name}`, "genba/openBuildLog", () => this.book.find(id)?.buildId);
  }

  async showAgentLog(workspace: Workspace, agent: Agent): Promise<void> {
    const title = `Genba agent: ${nameAgent(workspace, agent)}`;
    await this.show(
      `agent:${workspace.id}/${agent.name}`,
      title,
      "genba/openAgentLog",
      () => this.book.find(workspace.id)?.agents.find((found) => found.name === agent.name)?.id,
    );
  }

  dispose(): void {
    this.subscription.dispose();
    for (const { channel, follower } of this.followed.values()) {
      follower.close();
      channel.dispose();
    }
  }

  private async show(
    key: string,
    title: string,
    method: "genba/openBuildLog" | "genba/openAgentLog",
    findTarget: () => string | undefined,
  ): Promise<void> {
    let found = this.followed.get(key);
    if (found === undefined) {
      const channel = vscode.window.createOutputChannel(title, "log");
      const request = (target: string): Promise<StreamResult> =>
        method === "genba/openBuildLog"
          ? this.bridge.requestOnceRunning(method, { buildId: target })
          : this.bridge.requestOnceRunning(method, { agentId: target });
      const follower = new LogFollower({ sink: channel, request, openStream: this.openStream, time: this.time });
      found = { channel, follower, findTarget };
      this.followed.set(key, found);
    }
    found.channel.show(true);
    await followOn(found);
  }
}

async function followOn({ follower, findTarget }: Followed): Promise<void> {
  const target = findTarget();
  if (target !== undefined) await follower.follow(target);
}
