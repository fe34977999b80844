import * as vscode from "vscode";
import { DownloadFailed } from "../bridge/download";
import { BridgeUnavailable } from "../bridge/errors";
import type { ServedBridge } from "../bridge/servedBridge";
import type { BridgeSupervisor } from "../bridge/supervisor";

const REMEDY = "Or install it with “uv tool install genba”.";

/** Sees to it that a bridge runs before somebody signs in; where the machine has none, the gateway's is fetched. */
export class Provision {
  constructor(
    private readonly supervisor: Pick<BridgeSupervisor, "whenSettled" | "restart">,
    private readonly served: Pick<ServedBridge, "fetch" | "follow">,
  ) {}

  /** Whether the bridge has to be downloaded; throws when there is none and it can't be. */
  async mustDownload(): Promise<boolean> {
    // What was amiss may have been mended in the meantime.
    if ((await this.supervisor.whenSettled()).kind === "failed") await this.supervisor.restart();
    const state = await this.supervisor.whenSettled();
    if (state.kind !== "failed") return false;
    if (state.error instanceof BridgeUnavailable && state.error.isDownloadable) return true;
    throw state.error;
  }

  /** Download the bridge from a gateway, and start it. False when the user canceled it. */
  async download(gateway: string): Promise<boolean> {
    const options = {
      location: vscode.ProgressLocation.Notification,
      title: `Downloading the Genba bridge from ${gateway}`,
      cancellable: true,
    };
    const isDone = await vscode.window.withProgress(options, (progress, token) => this.fetch(gateway, progress, token));
    if (!isDone) return false;
    await this.supervisor.restart();
    const state = await this.supervisor.whenSettled();
    if (state.kind === "failed") throw state.error;
    return true;
  }

  /** Note the gateway that was signed in to. */
  async follow(gateway: string): Promise<void> {
    await this.served.follow(gateway);
  }

  private async fetch(
    gateway: string,
    progress: vscode.Progress<{ message?: string; increment?: number }>,
    token: vscode.CancellationToken,
  ): Promise<boolean> {
    const controller = new AbortController();
    const subscription = token.onCancellationRequested(() => {
      controller.abort();
    });
    let shown = 0;
    const report = (received: number, all: number): void => {
      const percent = all > 0 ? Math.floor((100 * received) / all) : 0;
      if (percent > shown) progress.report({ increment: percent - shown, message: `${percent} %` });
      shown = Math.max(shown, percent);
    };
    try {
      await this.served.fetch(gateway, report, controller.signal);
      return true;
    } catch (error) {
      if (controller.signal.aborted) return false;
      if (error instanceof DownloadFailed) {
        throw new BridgeUnavailable(error.message, REMEDY, { cause: error, isDownloadable: true });
      }
      throw error;
    } finally {
      subscription.dispose();
    }
  }
}
