import { beforeEach, describe, expect, test } from "vitest";
import { BridgeError } from "../../../src/bridge/errors";
import { LogFollower } from "../../../src/logs/logFollower";
import { FakeChannel } from "../../mocks/vscode";
import { FakeStreams, settle } from "../../support/fakeStreams";
import { FakeTime } from "../../support/fakeTime";

const TIME = "2026-11-24T09:30:00Z";

let sink: FakeChannel;
let streams: FakeStreams;
let requested: string[];
let failure: Error | undefined;
let follower: LogFollower;
let time: FakeTime;

beforeEach(() => {
  sink = new FakeChannel("log");
  streams = new FakeStreams();
  requested = [];
  failure = undefined;
  time = new FakeTime();
  follower = new LogFollower({
    sink,
    request: (target) => {
      requested.push(target);
      return failure ? Promise.reject(failure) : Promise.resolve({ id: target, url: "ws://…", token: "t" });
    },
    openStream: streams.open,
    time,
  });
});

function say(...texts: string[]): void {
  streams.last.listener.text({ lines: texts.map((text) => ({ time: TIME, level: "info", text })) });
}

function shown(): string[] {
  return sink.text.split("\n").map((line) => line.replace(/^.*\[info\] /, ""));
}

describe("LogFollower", () => {
  test("lines come as they are said, and the end with its reason", async () => {
    await follower.follow("one");
    say("a", "b");
    say("c");
    streams.last.listener.text({ ended: true, reason: "Build 1 succeeded." });
    streams.last.listener.closed(true);
    await settle();
    expect(shown()).toEqual(["a", "b", "c", "--- Build 1 succeeded. ---", ""]);
    expect(requested).toEqual(["one"]);
  });

  test("the same log again is nothing new; another one is appended, and the first one left", async () => {
    await follower.follow("one");
    await follower.follow("one");
    say("a");
    const first = streams.last;
    await follower.follow("two");
    expect(first.isClosed).toBe(true);
    first.listener.text({ lines: [{ time: TIME, level: "info", text: "late" }] });
    say("b");
    expect(shown()).toEqual(["a", "", "b", ""]);
    expect(requested).toEqual(["one", "two"]);
  });

  test("a stream that is lost is opened again, and its lines are not shown twice", async () => {
    await follower.follow("one");
    say("a");
    streams.last.listener.closed(false);
    await settle();
    expect(requested).toEqual(["one", "one"]);
    expect(shown()).toEqual(["a", ""]);
    say("a", "b");
    say("c");
    expect(shown()).toEqual(["a", "b", "c", ""]);
  });

  test("a stream that is lost again and again is opened after longer and longer pauses", async () => {
    await follower.follow("one");
    for (let loss = 0; loss < 4; loss++) {
      streams.last.listener.closed(false);
      await settle();
    }
    expect(time.waits).toEqual([250, 500, 1000, 2000]);
    expect(requested).toHaveLength(5);
  });

  test("what was left during the pause is not opened again, nor twice when it is asked for anew", async () => {
    await follower.follow("one");
    time.hold();
    streams.last.listener.closed(false);
    await settle();
    follower.close();
    await follower.follow("one");
    time.go();
    await settle();
    expect(requested).toEqual(["one", "one"]);
  });

  test("what keeps a log from opening is written where it would be", async () => {
    failure = new BridgeError("There is no such build.", "refused");
    await follower.follow("one");
    expect(sink.text).toBe("--- There is no such build. ---\n");
  });

  test("after closing nothing is opened again", async () => {
    await follower.follow("one");
    follower.close();
    streams.last.listener.closed(false);
    await settle();
    expect(requested).toEqual(["one"]);
  });
});
