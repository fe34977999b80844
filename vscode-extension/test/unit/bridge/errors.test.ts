import { expect, test } from "vitest";
import { BridgeError, BridgeUnavailable, describeError, isKind, toBridgeError } from "../../../src/bridge/errors";

function answered(message: string, data: unknown): Error {
  return Object.assign(new Error(message), { code: -32001, data });
}

test("an answered error keeps its kind, its hint and its cause", () => {
  const original = answered("You are signed out.", { kind: "notSignedIn", hint: "Sign in.", detail: "…" });
  const error = toBridgeError(original);
  expect(isKind(error, "notSignedIn")).toBe(true);
  expect(describeError(error)).toBe("You are signed out. Sign in.");
  expect(error.cause).toBe(original);
});

test("a kind that is not known is a fault of the bridge", () => {
  expect(toBridgeError(answered("…", { kind: "fresh" })).kind).toBe("internal");
});

test.each([new Error("Connection got disposed."), answered("gone", undefined), answered("gone", { kind: 3 }), "gone"])(
  "whatever else ends a request means that the bridge is gone: %s",
  (thrown) => {
    expect(toBridgeError(thrown).kind).toBe("stopped");
  },
);

test("an error that is one already stays as it is", () => {
  const error = new BridgeError("…", "refused");
  expect(toBridgeError(error)).toBe(error);
});

test("a bridge that is not to be had is described with its remedy", () => {
  expect(describeError(new BridgeUnavailable("There is none.", "Install it."))).toBe("There is none. Install it.");
  expect(describeError("words")).toBe("words");
});
