import { beforeEach, expect, test } from "vitest";
import { explainEnd, Terminals } from "../../../src/terminals/terminals";
import { Choice } from "../../../src/workspaces/choice";
import { WorkspaceBook } from "../../../src/workspaces/workspaceBook";
import { user } from "../../mocks/vscode";
import { buildAgent, buildWorkspace } from "../../support/builders";
import { FakeBridge } from "../../support/fakeBridge";
import { FakeStreams, settle } from "../../support/fakeStreams";
import { FakeTime } from "../../support/fakeTime";

let book: WorkspaceBook;
let bridge: FakeBridge;
let terminals: Terminals;

beforeEach(() => {
  user.reset();
  book = new WorkspaceBook();
  bridge = new FakeBridge({ "genba/openTerminal": () => ({ id: "s", url: "ws://…", token: "t", reconnect: "r" }) });
  terminals = new Terminals(bridge, book, new Choice(book, () => "ada"), new FakeStreams().open, new FakeTime());
});

test("a terminal is named after its workspace and asks for the agent's", async () => {
  book.reset([buildWorkspace()]);
  await terminals.open();
  expect(user.terminals.map(({ name }) => name)).toEqual(["demo"]);
  user.terminals[0]?.pty.open(undefined);
  await settle();
  expect(bridge.asked).toEqual([
    { method: "genba/openTerminal", params: { agentId: "agent-1", height: 24, width: 80 } },
  ]);
});

test("without a connected agent it says what to do", async () => {
  book.reset([buildWorkspace({ agents: [buildAgent({ status: "disconnected" })] })]);
  await terminals.open();
  expect(user.terminals).toEqual([]);
  expect(user.shown).toEqual(["No workspace's agent is connected: start a workspace."]);
});

test("the end of a shell is explained by what is done to its workspace", () => {
  expect(explainEnd(buildWorkspace())).toBeUndefined();
  expect(explainEnd(buildWorkspace({ transition: "stop" }))).toBe("The workspace was stopped.");
  expect(explainEnd(buildWorkspace({ transition: "delete" }))).toBe("The workspace was deleted.");
  expect(explainEnd(undefined)).toBe("The workspace was deleted.");
});
