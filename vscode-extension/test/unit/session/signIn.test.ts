import { beforeEach, expect, test } from "vitest";
import { BridgeError } from "../../../src/bridge/errors";
import type { Session } from "../../../src/session/session";
import { SignIn } from "../../../src/session/signIn";
import type { SessionState } from "../../../src/session/state";
import { user } from "../../mocks/vscode";
import { FakeMemory } from "../../support/fakeMemory";

const memory = new FakeMemory();
let given: string[][];
let failures: Error[];
let steps: string[];
let mustDownload: boolean;
let isDownloaded: boolean;
let state: SessionState;
let signIn: SignIn;

beforeEach(() => {
  user.reset();
  given = [];
  failures = [];
  steps = [];
  mustDownload = false;
  isDownloaded = true;
  state = { kind: "signedOut", url: "" };
  const session = {
    get state(): SessionState {
      return state;
    },
    load: (): Promise<void> => Promise.resolve(),
    signIn: (url: string, token: string): Promise<string> => {
      given.push([url, token]);
      const failure = failures.shift();
      return failure ? Promise.reject(failure) : Promise.resolve("ada");
    },
  };
  const provision = {
    mustDownload: (): Promise<boolean> => Promise.resolve(mustDownload),
    download: (url: string): Promise<boolean> => {
      steps.push(`download ${url}`);
      return Promise.resolve(isDownloaded);
    },
    follow: (url: string): Promise<void> => {
      steps.push(`follow ${url}`);
      return Promise.resolve();
    },
  };
  signIn = new SignIn(session as unknown as Session, provision, memory);
});

test("the token's page is opened, and the token signs in", async () => {
  user.inputs.push("localhost:3000", " token ");
  await signIn.run();
  expect(user.opened).toEqual(["http://localhost:3000/cli-auth"]);
  expect(given).toEqual([["http://localhost:3000", "token"]]);
  expect(memory.values).toEqual({ "genba.lastUrl": "http://localhost:3000" });
  expect(steps).toEqual(["follow http://localhost:3000"]);
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

test("a bridge that is absent is downloaded before the token is asked for", async () => {
  mustDownload = true;
  user.inputs.push("localhost:3000", "token");
  await signIn.run();
  expect(steps).toEqual(["download http://localhost:3000", "follow http://localhost:3000"]);
  expect(given).toHaveLength(1);
});

test("with a session kept from an earlier time no token is asked for", async () => {
  mustDownload = true;
  state = { kind: "signedIn", url: "http://localhost:3000", username: "ada", trouble: undefined, isListed: true };
  user.inputs.push("localhost:3000");
  await signIn.run();
  expect(user.opened).toEqual([]);
  expect(given).toEqual([]);
});

test("canceling the download ends it", async () => {
  mustDownload = true;
  isDownloaded = false;
  user.inputs.push("localhost:3000", "token");
  await signIn.run();
  expect(user.opened).toEqual([]);
  expect(given).toEqual([]);
});
