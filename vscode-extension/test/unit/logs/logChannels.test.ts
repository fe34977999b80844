import { beforeEach, expect, test } from "vitest";
import { LogChannels } from "../../../src/logs/logChannels";
import { WorkspaceBook } from "../../../src/workspaces/workspaceBook";
import { user } from "../../mocks/vscode";
import { buildAgent, buildWorkspace } from "../../support/builders";
import { FakeBridge } from "../../support/fakeBridge";
import { FakeStreams, settle } from "../../support/fakeStreams";
import { FakeTime } from "../../support/fakeTime";

const stream = { id: "s", url: "ws://…", token: "t" };

let bridge: FakeBridge;
let book: WorkspaceBook;
let streams: FakeStreams;
let channels: LogChannels;

beforeEach(() => {
  user.reset();
  bridge = new FakeBridge({ "genba/openBuildLog": () => stream, "genba/openAgentLog": () => stream });
  book = new WorkspaceBook();
  streams = new FakeStreams();
  channels = new LogChannels(bridge, book, streams.open, new FakeTime());
  book.reset([buildWorkspace()]);
});

test("a build's channel goes on into the next build", async () => {
  await channels.showBuildLog(buildWorkspace());
  await channels.showBuildLog(buildWorkspace());
  book.apply({ added: [], changed: [buildWorkspace({ buildId: "build-2" })], removed: [] });
  await settle();
  expect(user.channels.map(({ name, isShown }) => [name, isShown])).toEqual([["Genba build: demo", true]]);
  expect(bridge.asked.map(({ params }) => params)).toEqual([{ buildId: "build-1" }, { buildId: "build-2" }]);
});

test("an agent's channel waits for the agent of that name in the next build", async () => {
  await channels.showAgentLog(buildWorkspace(), buildAgent());
  book.apply({ added: [], changed: [buildWorkspace({ agents: [] })], removed: [] });
  book.apply({ added: [], changed: [buildWorkspace({ agents: [buildAgent({ id: "agent-2" })] })], removed: [] });
  await settle();
  expect(user.channels.map(({ name }) => name)).toEqual(["Genba agent: demo"]);
  expect(bridge.asked.map(({ params }) => params)).toEqual([{ agentId: "agent-1" }, { agentId: "agent-2" }]);
});

test("disposing closes channels and streams", async () => {
  await channels.showBuildLog(buildWorkspace());
  channels.dispose();
  expect(streams.last.isClosed).toBe(true);
  expect(user.channels[0]?.isDisposed).toBe(true);
});
