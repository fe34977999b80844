import { beforeEach, describe, expect, test } from "vitest";
import { BridgeError } from "../../../src/bridge/errors";
import type { TerminalParameters } from "../../../src/bridge/messages";
import { WorkspaceTerminal } from "../../../src/terminals/workspaceTerminal";
import { FakeStreams, settle } from "../../support/fakeStreams";
import { FakeTime } from "../../support/fakeTime";

let streams: FakeStreams;
let requested: TerminalParameters[];
let failure: Error | undefined;
let explanation: string | undefined;
let terminal: WorkspaceTerminal;
let screen: string;
let time: FakeTime;
let closes: (number | undefined)[];

beforeEach(() => {
  streams = new FakeStreams();
  requested = [];
  failure = undefined;
  explanation = undefined;
  screen = "";
  time = new FakeTime();
  closes = [];
  terminal = new WorkspaceTerminal({
    agentId: "agent-1",
    request: (parameters) => {
      requested.push(parameters);
      const opened = { id: "s", url: "ws://…", token: "t", reconnect: "again" };
      return failure ? Promise.reject(failure) : Promise.resolve(opened);
    },
    openStream: streams.open,
    time,
    explainEnd: () => explanation,
  });
  terminal.onDidWrite((text) => {
    screen += text;
  });
  terminal.onDidClose((code) => {
    closes.push(code ?? undefined);
  });
});

function output(bytes: number[] | string): void {
  streams.last.listener.binary?.(typeof bytes === "string" ? Buffer.from(bytes) : Uint8Array.from(bytes));
}

const grey = (text: string): string => `\r\n\x1b[90m[${text}]\x1b[0m\r\n`;

describe("WorkspaceTerminal", () => {
  test("opens with the size of its panel, and tells later ones", async () => {
    terminal.open({ columns: 100, rows: 30 });
    await settle();
    expect(requested).toEqual([{ agentId: "agent-1", height: 30, width: 100 }]);
    terminal.setDimensions({ columns: 90, rows: 20 });
    expect(streams.last.sent).toEqual([{ resize: { height: 20, width: 90 } }]);
  });

  test("a size that came while it opened is told, then what was typed meanwhile", async () => {
    terminal.open(undefined);
    terminal.setDimensions({ columns: 90, rows: 20 });
    terminal.handleInput("ls\r");
    await settle();
    expect(streams.last.sent).toEqual([{ resize: { height: 20, width: 90 } }, "ls\r"]);
  });

  test("a letter that is split over two messages is shown whole", async () => {
    terminal.open(undefined);
    await settle();
    output([0xe7, 0x8f]);
    output([0xbe, 0x21]);
    expect(screen).toBe("現!");
  });

  test.each(["a state", "output"])("a connection that is lost is told in grey, and %s takes it back", async (what) => {
    terminal.open(undefined);
    await settle();
    streams.last.listener.text({ state: "connected" });
    expect(screen).toBe("");
    streams.last.listener.text({ state: "reconnecting", reason: "No answer." });
    const shown = screen;
    expect(shown).toContain("[reconnecting · No answer]");
    if (what === "output") output("more");
    streams.last.listener.text({ state: "connected" });
    expect(screen).toBe(`${shown}\x1b8\x1b[J${what === "output" ? "more" : ""}`);
  });

  test.each([
    [0, undefined],
    [3, 3],
  ])("a shell that exits with %i closes the terminal", async (exitCode, closed) => {
    terminal.open(undefined);
    await settle();
    streams.last.listener.text({ state: "ended", exitCode });
    streams.last.listener.closed(true);
    expect(closes).toEqual([closed]);
    expect(screen).toBe("");
  });

  test("an end from outside stays to be read until a key is pressed", async () => {
    terminal.open(undefined);
    await settle();
    streams.last.listener.text({ state: "ended", reason: "The workspace was stopped.", hint: "Start it." });
    streams.last.listener.closed(true);
    expect(closes).toEqual([]);
    expect(screen).toBe(grey("The workspace was stopped. Start it · press a key to close this terminal"));
    terminal.handleInput("x");
    expect(closes).toEqual([undefined]);
    expect(requested).toHaveLength(1);
  });

  test("a shell that a signal ended leaves what it showed", async () => {
    terminal.open(undefined);
    await settle();
    streams.last.listener.text({ state: "ended", reason: "The terminal has ended.", exitCode: -1 });
    expect(closes).toEqual([]);
    expect(screen).toBe(grey("The shell was ended by signal 1 · press a key to close this terminal"));
  });

  test("the workspace's state says more about that", async () => {
    explanation = "The workspace was stopped.";
    terminal.open(undefined);
    await settle();
    streams.last.listener.text({ state: "ended", reason: "The terminal has ended.", exitCode: -1 });
    expect(screen).toBe(grey("The workspace was stopped · press a key to close this terminal"));
  });

  test("when the bridge is lost the same terminal is opened again, on a cleared screen", async () => {
    terminal.open(undefined);
    await settle();
    streams.last.listener.opened?.();
    streams.last.listener.closed(false);
    terminal.handleInput("typed");
    await settle();
    expect(requested[1]).toMatchObject({ agentId: "agent-1", reconnect: "again" });
    expect(screen).toContain("[reconnecting · The bridge has ended]");
    streams.last.listener.opened?.();
    expect(screen.endsWith("\x1b8\x1b[J\x1b[H\x1b[2J\x1b[3J")).toBe(true);
    expect(streams.last.sent).toEqual(["typed"]);
  });

  test("a bridge that is lost again and again is asked after longer and longer pauses", async () => {
    terminal.open(undefined);
    await settle();
    for (let loss = 0; loss < 4; loss++) {
      streams.last.listener.closed(false);
      await settle();
    }
    expect(time.waits).toEqual([250, 500, 1000, 2000]);
    expect(requested).toHaveLength(5);
  });

  test("a terminal that is closed during the pause is not opened again", async () => {
    terminal.open(undefined);
    await settle();
    time.hold();
    streams.last.listener.closed(false);
    await settle();
    terminal.close();
    time.go();
    await settle();
    expect(requested).toHaveLength(1);
  });

  test("what keeps it from opening is told", async () => {
    failure = new BridgeError("The agent is not connected.", "refused");
    terminal.open(undefined);
    await settle();
    expect(screen).toBe(grey("The agent is not connected · press a key to close this terminal"));
  });

  test("closing it leaves the stream, and nothing is written any more", async () => {
    terminal.open(undefined);
    await settle();
    terminal.close();
    expect(streams.last.isClosed).toBe(true);
    streams.last.listener.closed(true);
    output("late");
    expect(screen).toBe("");
    expect(requested).toHaveLength(1);
  });
});
