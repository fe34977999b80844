import { expect, test } from "vitest";
import { messageFor } from "../../../src/session/view";

const signedIn = { kind: "signedIn", url: "http://gateway", username: "ada", isListed: true } as const;

test("the line above the tree is there for trouble only", () => {
  expect(messageFor({ ...signedIn, trouble: undefined })).toBeUndefined();
  expect(messageFor({ ...signedIn, trouble: "No answer." })).toBe("Reconnecting. No answer.");
  expect(messageFor({ kind: "signedOut", url: "" })).toBeUndefined();
  expect(messageFor({ kind: "noBridge", reason: "There is no genba.", isDownloadable: false })).toBeUndefined();
  expect(messageFor({ kind: "starting" })).toBe("Starting the bridge…");
});
