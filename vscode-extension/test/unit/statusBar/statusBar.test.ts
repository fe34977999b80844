import { expect, test } from "vitest";
import { lookOfStatusBar } from "../../../src/statusBar/statusBar";

const signedIn = { kind: "signedIn", url: "http://gateway", username: "ada", isListed: true } as const;

test.each([
  [{ kind: "starting" } as const, "$(sync~spin) Genba", false],
  [{ kind: "noBridge", reason: "None.", isDownloadable: false } as const, "$(warning) Genba", true],
  [{ kind: "noBridge", reason: "None.", isDownloadable: true } as const, "$(sign-in) Genba: sign in", false],
  [{ kind: "signedOut", url: "" } as const, "$(sign-in) Genba: sign in", false],
  [{ ...signedIn, trouble: undefined }, "$(vm-running) Genba: 2 running", false],
  [{ ...signedIn, trouble: "No answer." }, "$(sync~spin) Genba: reconnecting", true],
])("%j shows %s", (state, text, isWarning) => {
  expect(lookOfStatusBar(state, 2, 3)).toMatchObject({ text, isWarning });
});

test("a click signs in, or shows the view; the tooltip says who is where", () => {
  expect(lookOfStatusBar({ kind: "signedOut", url: "" }, 0, 0).command).toBe("genba.signIn");
  const look = lookOfStatusBar({ ...signedIn, trouble: undefined }, 0, 1);
  expect(look.command).toBe("genba.workspaces.focus");
  expect(look.tooltip).toBe("Genba: 0 of 1 workspaces run\nada at http://gateway");
});
