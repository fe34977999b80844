import { access } from "node:fs/promises";
import { join } from "node:path";
import type * as vscode from "vscode";
import { type Download, downloadProgram } from "./download";

/** The gateway that the downloaded bridge is compared with. */
const SOURCE = "genba.bridgeSource";

/** A gateway that is slower to say whether it has a newer one is not waited for: the one that is here runs. */
const UPDATE_MS = 5_000;

export interface ServedBridgeParts {
  /** A folder of the extension's own. */
  readonly folder: string;
  /** How gateways call the executable for this machine; undefined when they have none for its kind. */
  readonly executable: string | undefined;
  readonly memory: Pick<vscode.Memento, "get" | "update">;
  readonly log: Pick<vscode.LogOutputChannel, "info" | "warn">;
  readonly download?: typeof downloadProgram;
}

/** The bridge as gateways serve it: one executable that needs nothing installed. */
export class ServedBridge {
  private readonly download: typeof downloadProgram;

  constructor(private readonly parts: ServedBridgeParts) {
    this.download = parts.download ?? downloadProgram;
  }

  /** The executable that was downloaded before, brought up to date with its gateway; undefined when there is none. */
  async find(): Promise<string | undefined> {
    const { executable, folder, log, memory } = this.parts;
    if (executable === undefined) return undefined;
    const file = join(folder, executable);
    try {
      await access(file);
    } catch {
      return undefined;
    }
    const source = memory.get<string>(SOURCE);
    if (source === undefined) return file;
    try {
      const outcome = await this.download({ url: locate(source, executable), file, stalledMs: UPDATE_MS });
      if (outcome === "fresh") log.info(`The bridge was brought up to date from ${source}`);
    } catch (error) {
      log.warn(`The bridge was not compared with that of ${source}: ${String(error)}`);
    }
    return file;
  }

  /** Download the executable from a gateway; throws `DownloadFailed`, and what `signal` says when it aborts. */
  async fetch(gateway: string, report: Download["report"], signal: AbortSignal): Promise<void> {
    const { executable, folder, log, memory } = this.parts;
    if (executable === undefined) throw new Error("gateways have no bridge for this kind of machine");
    const url = locate(gateway, executable);
    log.info(`Downloading ${url}`);
    await this.download({ url, file: join(folder, executable), signal, ...(report ? { report } : {}) });
    await memory.update(SOURCE, gateway);
  }

  /** Compare with this gateway from the next start on, if there is something to compare. */
  async follow(gateway: string): Promise<void> {
    const { memory } = this.parts;
    if (memory.get<string>(SOURCE) !== undefined) await memory.update(SOURCE, gateway);
  }
}

function locate(gateway: string, executable: string): string {
  return `${gateway}/bin/${executable}`;
}
