import { beforeEach, describe, expect, test } from "vitest";
import { BridgeError, BridgeUnavailable } from "../../../src/bridge/errors";
import type { Requests } from "../../../src/bridge/requests";
import type { SupervisorState } from "../../../src/bridge/supervisor";
import { Session } from "../../../src/session/session";
import { WorkspaceBook } from "../../../src/workspaces/workspaceBook";
import { EventEmitter, user } from "../../mocks/vscode";
import { buildWorkspace } from "../../support/builders";
import { FakeBridge } from "../../support/fakeBridge";
import { settle } from "../../support/fakeStreams";

const signedIn = { signedIn: true, url: "http://gateway", username: "ada", version: "v" };
const unreachable = new BridgeError("Can't reach the gateway.", "gatewayUnreachable");

class FakeSupervisor {
  readonly emitter = new EventEmitter<SupervisorState>();
  readonly onDidChangeState = this.emitter.event;
  constructor(readonly bridge: FakeBridge) {}
  request<M extends keyof Requests>(method: M, params: Requests[M]["params"]): Promise<Requests[M]["result"]> {
    return this.bridge.request(method, params);
  }
  async run(): Promise<void> {
    this.emitter.fire({ kind: "running", connection: this.bridge });
    await settle();
  }
}

function failing(error: Error): () => never {
  return () => {
    throw error;
  };
}

let bridge: FakeBridge;
let supervisor: FakeSupervisor;
let book: WorkspaceBook;
let session: Session;
let ends: string[];

beforeEach(() => {
  user.reset();
  bridge = new FakeBridge({
    "genba/session": () => signedIn,
    "genba/watchWorkspaces": () => ({ workspaces: [buildWorkspace()] }),
    "genba/signOut": () => ({}),
  });
  supervisor = new FakeSupervisor(bridge);
  book = new WorkspaceBook();
  session = new Session(supervisor, book, { warn: () => undefined });
  ends = [];
  session.onDidEnd((reason) => {
    ends.push(reason);
  });
});

const well = { kind: "signedIn", url: "http://gateway", username: "ada", trouble: undefined, isListed: true };

describe("Session", () => {
  test("a bridge that runs is asked who is signed in, and for the workspaces", async () => {
    expect(session.state).toEqual({ kind: "starting" });
    await supervisor.run();
    expect(session.state).toEqual(well);
    expect(book.workspaces).toHaveLength(1);
    bridge.notify("genba/workspacesChanged", { added: [], changed: [], removed: ["workspace-1"] });
    expect(book.workspaces).toEqual([]);
  });

  test("without a session nothing is watched", async () => {
    bridge.answers["genba/session"] = () => ({ signedIn: false, url: "http://gateway", version: "v" });
    await supervisor.run();
    expect(session.state).toEqual({ kind: "signedOut", url: "http://gateway" });
    expect(bridge.asked.map(({ method }) => method)).toEqual(["genba/session"]);
  });

  test("a gateway away is trouble, what was shown stays, and it ends", async () => {
    await supervisor.run();
    bridge.notify("genba/connection", { state: "reconnecting", reason: "No answer." });
    expect(session.state).toEqual({ ...well, trouble: "No answer." });
    expect(book.workspaces).toHaveLength(1);
    bridge.notify("genba/connection", { state: "connected", reason: "" });
    expect(session.state).toEqual(well);
  });

  test("a gateway away from the beginning is asked who is signed in when it comes", async () => {
    bridge.answers = { "genba/session": failing(unreachable), "genba/watchWorkspaces": failing(unreachable) };
    await supervisor.run();
    expect(session.state).toMatchObject({ kind: "signedIn", username: "", trouble: "Can't reach the gateway." });
    bridge.answers = { "genba/session": () => signedIn, "genba/watchWorkspaces": () => ({ workspaces: [] }) };
    bridge.notify("genba/connection", { state: "connected", reason: "" });
    await settle();
    expect(session.state).toEqual(well);
  });

  test("a session that ends elsewhere clears the view and says why, once", async () => {
    await supervisor.run();
    bridge.notify("genba/signedOut", { reason: "You are signed out." });
    bridge.notify("genba/signedOut", { reason: "You are signed out." });
    expect(session.state).toEqual({ kind: "signedOut", url: "http://gateway" });
    expect(book.workspaces).toEqual([]);
    expect(ends).toEqual(["You are signed out."]);
  });

  test("signing out is no surprise", async () => {
    await supervisor.run();
    await session.signOut();
    expect(session.state.kind).toBe("signedOut");
    expect(ends).toEqual([]);
  });

  test("signing in shows the workspaces, and a failure leaves all as it was", async () => {
    bridge.answers["genba/session"] = () => ({ signedIn: false, version: "v" });
    await supervisor.run();
    bridge.answers["genba/signIn"] = failing(new BridgeError("No.", "notSignedIn"));
    await expect(session.signIn("http://gateway", "t")).rejects.toThrow("No.");
    expect(session.state.kind).toBe("signedOut");
    bridge.answers["genba/signIn"] = ({ url }) => ({ url, user: { id: "u", username: "ada" } });
    bridge.answers["genba/session"] = () => signedIn;
    expect(await session.signIn("http://gateway", "t")).toBe("ada");
    expect(session.state).toEqual(well);
  });

  test("an answer that comes after the bridge was lost changes nothing", async () => {
    supervisor.emitter.fire({ kind: "running", connection: bridge });
    supervisor.emitter.fire({ kind: "failed", error: new BridgeUnavailable("None.", "Install it.") });
    await settle();
    expect(session.state).toEqual({ kind: "noBridge", reason: "None. Install it.", isDownloadable: false });
  });

  test("a bridge that starts again is trouble while something is shown", async () => {
    await supervisor.run();
    supervisor.emitter.fire({ kind: "starting" });
    expect(session.state).toMatchObject({ kind: "signedIn", trouble: "The Genba bridge is starting." });
    await supervisor.run();
    expect(session.state).toEqual(well);
  });
});
