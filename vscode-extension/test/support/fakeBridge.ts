import type { Bridge, BridgeConnection, Disposable, Notifications, Requests } from "../../src/bridge/requests";

type Method = keyof Requests;
type Answers = { [M in Method]?: (params: Requests[M]["params"]) => Requests[M]["result"] };

/** A bridge whose answers a test sets; an answer that throws is an error answered. */
export class FakeBridge implements Bridge, BridgeConnection {
  readonly asked: { method: Method; params: unknown }[] = [];
  isStopped = false;
  private readonly handlers = new Map<string, (params: never) => void>();
  private handleEnded: ((reason: string) => void) | undefined;

  constructor(public answers: Answers = {}) {}

  async request<M extends Method>(method: M, params: Requests[M]["params"]): Promise<Requests[M]["result"]> {
    await Promise.resolve();
    this.asked.push({ method, params });
    const answer = this.answers[method];
    if (answer === undefined) throw new Error(`${method} was not expected`);
    return answer(params);
  }

  requestOnceRunning<M extends Method>(method: M, params: Requests[M]["params"]): Promise<Requests[M]["result"]> {
    return this.request(method, params);
  }

  onNotification<N extends keyof Notifications>(name: N, handle: (params: Notifications[N]) => void): Disposable {
    this.handlers.set(name, handle);
    return { dispose: () => this.handlers.delete(name) };
  }

  notify<N extends keyof Notifications>(name: N, params: Notifications[N]): void {
    const handle = this.handlers.get(name) as ((params: Notifications[N]) => void) | undefined;
    if (handle === undefined) throw new Error(`nobody listens to ${name}`);
    handle(params);
  }

  onEnded(handle: (reason: string) => void): void {
    this.handleEnded = handle;
  }

  /** End by itself, as a crash. */
  crash(reason: string): void {
    this.handleEnded?.(reason);
  }

  stop(): Promise<void> {
    this.isStopped = true;
    return Promise.resolve();
  }
}
