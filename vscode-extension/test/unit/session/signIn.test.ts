import { beforeEach, expect, test } from "vitest";
import { BridgeError } from "../../../src/bridge/errors";
import type { Session } from "../../../src/session/session";
import { SignIn } from "../../../src/session/signIn";
import { user } from "../../mocks/vscode";

const memory = new Map<string, string>();
let given: string[][];
let failures: Error[];
let signIn: SignIn;

beforeEach(() => {
  user.reset();
  memory.clear();
  given = [];
  failures = [];
  const session = {
    state: { kind: "signedOut", url: "" },
    signIn: (url: string, token: string): Promise<string> => {
      given.push([url, token]);
      const failure = failures.shift();
      return failure ? Promise.reject(failure) : Promise.resolve("ada");
    },
  };
  signIn = new SignIn(session as unknown as Session, {
    keys: () => [...memory.keys()],
    get: <T>(key: string, fallback?: T) => (memory.get(key) as T | undefined) ?? (fallback as T),
    update: (key: string, value: string) => {
      memory.set(key, value);
      return Promise.resolve();
    },
  });
});

test("the token's page is opened, and the token signs in", async () => {
  user.inputs.push("localhost:3000", " token ");
  await signIn.run();
  expect(user.opened).toEqual(["http://localhost:3000/cli-auth"]);
  expect(given).toEqual([["http://localhost:3000", "token"]]);
  expect([...memory.values()]).toEqual(["http://localhost:3000"]);
});

test("a token that is not taken can be given again", async () => {
  user.inputs.push("localhost:3000", "wrong", "right");
  failures.push(new BridgeError("The gateway does not take this token.", "notSignedIn"));
  user.answers.push("Try Again");
  await signIn.run();
  expect(user.shown[0]).toBe("The gateway does not take this token.");
  expect(given.map(([, token]) => token)).toEqual(["wrong", "right"]);
});

test.each([[[undefined]], [["localhost:3000", undefined]]])("leaving a question ends it: %j", async (inputs) => {
  user.inputs.push(...inputs);
  await signIn.run();
  expect(given).toEqual([]);
});
