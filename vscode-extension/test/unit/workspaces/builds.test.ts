import { beforeEach, describe, expect, test } from "vitest";
import type { Workspace } from "../../../src/bridge/messages";
import { Builds } from "../../../src/workspaces/builds";
import { Choice } from "../../../src/workspaces/choice";
import { WorkspaceBook } from "../../../src/workspaces/workspaceBook";
import { user } from "../../mocks/vscode";
import { buildWorkspace } from "../../support/builders";
import { FakeBridge } from "../../support/fakeBridge";
import { settle } from "../../support/fakeStreams";

const stopped = buildWorkspace({ status: "stopped", agents: [] });
const building = { buildId: "build-2", buildNumber: 2 };

let bridge: FakeBridge;
let book: WorkspaceBook;
let builds: Builds;
let logsShown: Workspace[];

beforeEach(() => {
  user.reset();
  bridge = new FakeBridge({ "genba/startWorkspace": () => building, "genba/stopWorkspace": () => building });
  book = new WorkspaceBook();
  logsShown = [];
  builds = new Builds(bridge, book, new Choice(book, () => "ada"), (workspace) => {
    logsShown.push(workspace);
    return Promise.resolve();
  });
});

describe("Builds", () => {
  test("starts the row's workspace, or the only one that fits", async () => {
    book.reset([stopped, buildWorkspace({ id: "other" })]);
    await builds.start({ kind: "workspace", workspace: stopped });
    await builds.start();
    const start = { method: "genba/startWorkspace", params: { id: "workspace-1" } };
    expect(bridge.asked).toEqual([start, start]);
  });

  test("says so when nothing can be started", async () => {
    await builds.start();
    expect(user.shown).toEqual(["No workspace is stopped."]);
    expect(bridge.asked).toEqual([]);
  });

  test("stops only after a yes", async () => {
    book.reset([buildWorkspace()]);
    await builds.stop();
    expect(bridge.asked).toEqual([]);
    user.answers.push("Stop");
    await builds.stop();
    expect(bridge.asked).toEqual([{ method: "genba/stopWorkspace", params: { id: "workspace-1" } }]);
  });

  test("tells of a build begun here that failed, once, and offers its log", async () => {
    book.reset([stopped]);
    await builds.start();
    user.answers.push("Show Build Log");
    const failed = buildWorkspace({ ...stopped, ...building, status: "failed", statusReason: "no disk left" });
    book.apply({ added: [], changed: [{ ...failed, status: "starting" }], removed: [] });
    expect(user.shown).toEqual([]);
    book.apply({ added: [], changed: [failed], removed: [] });
    book.apply({ added: [], changed: [failed], removed: [] });
    await settle();
    expect(user.shown).toEqual(["Build 2 (start) of demo failed: no disk left"]);
    expect(logsShown).toEqual([failed]);
  });

  test("is silent about a build that somebody else began", async () => {
    book.reset([buildWorkspace({ status: "failed" })]);
    await settle();
    expect(user.shown).toEqual([]);
  });
});
