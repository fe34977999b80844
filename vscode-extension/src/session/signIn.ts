import * as vscode from "vscode";
import { describeError } from "../bridge/errors";
import { completeAddress } from "./address";
import type { Provision } from "./provision";
import type { Session } from "./session";

const LAST_URL = "genba.lastUrl";
const TITLE = "Sign in to Genba";
const QUESTION = "The address of your Genba gateway.";
const TRY_AGAIN = "Try Again";

/** Asks for the gateway and a token, and signs in. */
export class SignIn {
  constructor(
    private readonly session: Session,
    private readonly provision: Pick<Provision, "mustDownload" | "download" | "follow">,
    private readonly memory: vscode.Memento,
  ) {}

  async run(): Promise<void> {
    const mustDownload = await this.provision.mustDownload();
    const url = await this.askUrl(mustDownload ? `${QUESTION} The bridge is downloaded from it.` : QUESTION);
    if (url === undefined) return;
    if (mustDownload) {
      await this.memory.update(LAST_URL, url);
      if (!(await this.provision.download(url))) return;
      // A session may have been kept from an earlier time.
      await this.session.load();
      if (this.session.state.kind === "signedIn" && this.session.state.url === url) return;
    }
    // Not awaited: it resolves when the question about leaving the editor is answered, and the token may be at hand.
    void vscode.env.openExternal(vscode.Uri.parse(`${url}/cli-auth`));
    for (;;) {
      const token = await askToken(url);
      if (token === undefined) return;
      try {
        const username = await this.session.signIn(url, token);
        await this.memory.update(LAST_URL, url);
        await this.provision.follow(url);
        void vscode.window.setStatusBarMessage(`Signed in to ${url} as ${username}.`, 5000);
        return;
      } catch (error) {
        const answer = await vscode.window.showErrorMessage(describeError(error), TRY_AGAIN);
        if (answer !== TRY_AGAIN) return;
      }
    }
  }

  private async askUrl(prompt: string): Promise<string | undefined> {
    const { state } = this.session;
    const known = state.kind === "signedOut" || state.kind === "signedIn" ? state.url : "";
    const typed = await vscode.window.showInputBox({
      title: TITLE,
      prompt,
      placeHolder: "https://gateway.example.com",
      value: known || this.memory.get<string>(LAST_URL, ""),
      ignoreFocusOut: true,
      validateInput: (text) =>
        completeAddress(text) === undefined ? "It looks like https://gateway.example.com." : undefined,
    });
    return typed === undefined ? undefined : completeAddress(typed);
  }
}

async function askToken(url: string): Promise<string | undefined> {
  const token = await vscode.window.showInputBox({
    title: TITLE,
    prompt: `Paste the token that ${url}/cli-auth shows.`,
    placeHolder: "Token",
    password: true,
    ignoreFocusOut: true,
    validateInput: (text) => (text.trim() ? undefined : "A token is needed."),
  });
  return token?.trim();
}
