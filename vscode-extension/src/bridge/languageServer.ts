import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type * as vscode from "vscode";
import {
  CloseAction,
  ErrorAction,
  LanguageClient,
  type LanguageClientOptions,
  RevealOutputChannelOn,
} from "vscode-languageclient/node";
import type { BridgeCommand } from "./command";
import { BridgeUnavailable, toBridgeError } from "./errors";
import type { BridgeConnection, Disposable, Notifications, Requests } from "./requests";

/** How many of the bridge's last words are kept for the message that says why it ended. */
const KEPT_LINES = 3;

/** A bridge that has not answered the greeting by then never will; without a limit no other could be started. */
const START_LIMIT_MS = 60_000;

/** Start the bridge as a language server on its standard input and output, and greet it. */
export async function startLanguageServer(
  command: BridgeCommand,
  log: vscode.LogOutputChannel,
): Promise<BridgeConnection> {
  log.info(`Starting ${[command.program, ...command.args].join(" ")}`);
  const server = new LanguageServerConnection(command, log);
  await server.start();
  return server;
}

class LanguageServerConnection implements BridgeConnection {
  private readonly client: LanguageClient;
  private readonly lastLines: string[] = [];
  private handleEnded: ((reason: string) => void) | undefined;
  private endedReason: string | undefined;
  private process: ChildProcess | undefined;

  constructor(
    private readonly command: BridgeCommand,
    private readonly log: vscode.LogOutputChannel,
  ) {
    const options: LanguageClientOptions = {
      documentSelector: [],
      outputChannel: log,
      traceOutputChannel: withoutTraces(log),
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      initializationFailedHandler: () => false,
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: () => {
          this.noteEnded();
          return { action: CloseAction.DoNotRestart, handled: true };
        },
      },
      stdioOptions: {
        stdout: () => undefined,
        stderr: (input) => {
          createInterface({ input }).on("line", (line) => {
            this.noteLine(line);
          });
        },
      },
    };
    this.client = new LanguageClient("genba", "Genba", () => this.spawn(), options);
  }

  async start(): Promise<void> {
    const limit = setTimeout(() => {
      this.noteLine(`it did not answer within ${START_LIMIT_MS / 1000} s`);
      this.process?.kill();
    }, START_LIMIT_MS);
    try {
      await this.client.start();
    } catch (error) {
      this.process?.kill();
      const said = this.lastLines.join(" ") || (error instanceof Error ? error.message : String(error));
      throw new BridgeUnavailable(
        `The Genba bridge did not start: ${said}`,
        `It was started as ${this.command.program}; the setting genba.bridgePath names another one.`,
        { cause: error },
      );
    } finally {
      clearTimeout(limit);
    }
  }

  async request<M extends keyof Requests>(method: M, params: Requests[M]["params"]): Promise<Requests[M]["result"]> {
    this.log.debug(`asking ${method}`);
    try {
      return await this.client.sendRequest<Requests[M]["result"]>(method, params);
    } catch (error) {
      throw toBridgeError(error);
    }
  }

  onNotification<N extends keyof Notifications>(name: N, handle: (params: Notifications[N]) => void): Disposable {
    return this.client.onNotification(name, handle);
  }

  onEnded(handle: (reason: string) => void): void {
    if (this.endedReason !== undefined) handle(this.endedReason);
    else this.handleEnded = handle;
  }

  async stop(): Promise<void> {
    this.handleEnded = undefined;
    await this.client.dispose();
  }

  private spawn(): Promise<ChildProcess> {
    return new Promise((resolve, reject) => {
      const child = spawn(this.command.program, [...this.command.args], { windowsHide: true });
      this.process = child;
      child.once("spawn", () => {
        resolve(child);
      });
      // Kept for the process's life: without a listener an error would end the whole extension host.
      child.on("error", reject);
    });
  }

  private noteLine(line: string): void {
    this.log.info(`bridge: ${line}`);
    this.lastLines.push(line);
    if (this.lastLines.length > KEPT_LINES) this.lastLines.shift();
  }

  private noteEnded(): void {
    const code = this.process?.exitCode ?? this.process?.signalCode;
    const reason = this.lastLines.at(-1) ?? `it ended with ${code ?? "no word"}`;
    this.endedReason = reason;
    this.handleEnded?.(reason);
    this.handleEnded = undefined;
  }
}

/** The client would trace whole messages, where the user's settings ask for it, and tokens are in some of them. */
function withoutTraces(log: vscode.LogOutputChannel): vscode.LogOutputChannel {
  return Object.create(log, { trace: { value: () => undefined } }) as vscode.LogOutputChannel;
}
