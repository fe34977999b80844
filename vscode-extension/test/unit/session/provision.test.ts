import { beforeEach, expect, test } from "vitest";
import { DownloadFailed } from "../../../src/bridge/download";
import { BridgeUnavailable } from "../../../src/bridge/errors";
import type { ServedBridge } from "../../../src/bridge/servedBridge";
import type { SupervisorState } from "../../../src/bridge/supervisor";
import { Provision } from "../../../src/session/provision";
import { progress, user } from "../../mocks/vscode";
import { FakeBridge } from "../../support/fakeBridge";

const absent = new BridgeUnavailable("None.", "Sign in.", { isDownloadable: true });
const wrong = new BridgeUnavailable("There is no program at /opt/genba.", "Correct the setting.");
const running: SupervisorState = { kind: "running", connection: new FakeBridge() };

class FakeSupervisor {
  restarts = 0;
  constructor(
    public state: SupervisorState,
    readonly next: SupervisorState = state,
  ) {}
  whenSettled(): Promise<SupervisorState> {
    return Promise.resolve(this.state);
  }
  restart(): Promise<void> {
    this.restarts += 1;
    this.state = this.next;
    return Promise.resolve();
  }
}

let fetched: string[];
let fetch: ServedBridge["fetch"];

beforeEach(() => {
  user.reset();
  fetched = [];
  fetch = (gateway, report) => {
    fetched.push(gateway);
    for (const received of [10, 505, 1000]) report?.(received, 1000);
    return Promise.resolve();
  };
});

function make(supervisor: FakeSupervisor): Provision {
  return new Provision(supervisor, { fetch: (...rest) => fetch(...rest), follow: () => Promise.resolve() });
}

test("a bridge that runs is taken as it is", async () => {
  const supervisor = new FakeSupervisor(running);
  expect(await make(supervisor).mustDownload()).toBe(false);
  expect(supervisor.restarts).toBe(0);
});

test("what was mended in the meantime is tried again", async () => {
  expect(await make(new FakeSupervisor({ kind: "failed", error: wrong }, running)).mustDownload()).toBe(false);
});

test("only what is absent is downloaded; anything else is told", async () => {
  expect(await make(new FakeSupervisor({ kind: "failed", error: absent })).mustDownload()).toBe(true);
  await expect(make(new FakeSupervisor({ kind: "failed", error: wrong })).mustDownload()).rejects.toBe(wrong);
});

test("the bridge is fetched with its progress shown, and started", async () => {
  const supervisor = new FakeSupervisor({ kind: "failed", error: absent }, running);
  expect(await make(supervisor).download("http://gateway")).toBe(true);
  expect(fetched).toEqual(["http://gateway"]);
  expect(supervisor.state).toBe(running);
  expect(progress.reported).toEqual([
    { increment: 1, message: "1 %" },
    { increment: 49, message: "50 %" },
    { increment: 50, message: "100 %" },
  ]);
});

test("a download that fails says why and what else can be done", async () => {
  fetch = () => Promise.reject(new DownloadFailed("This gateway has no program for linux-amd64."));
  const supervisor = new FakeSupervisor({ kind: "failed", error: absent });
  await expect(make(supervisor).download("http://gateway")).rejects.toMatchObject({
    message: "This gateway has no program for linux-amd64.",
    remedy: expect.stringContaining("uv tool install genba") as string,
    isDownloadable: true,
  });
  expect(supervisor.restarts).toBe(0);
});

test("a download that is canceled is none", async () => {
  fetch = (_gateway, _report, signal) => {
    progress.cancel();
    return Promise.reject(signal.reason as Error);
  };
  const supervisor = new FakeSupervisor({ kind: "failed", error: absent });
  expect(await make(supervisor).download("http://gateway")).toBe(false);
  expect(supervisor.restarts).toBe(0);
});

test("a bridge that was fetched and does not start is told", async () => {
  const broken = new BridgeUnavailable("The Genba bridge did not start.", "…");
  const supervisor = new FakeSupervisor({ kind: "failed", error: absent }, { kind: "failed", error: broken });
  await expect(make(supervisor).download("http://gateway")).rejects.toBe(broken);
});
