import { BridgeUnavailable, describeError } from "../bridge/errors";

/** What the extension shows as a whole. */
export type SessionState =
  | { readonly kind: "starting" }
  | { readonly kind: "noBridge"; readonly reason: string; readonly isDownloadable: boolean }
  | { readonly kind: "signedOut"; readonly url: string }
  | {
      readonly kind: "signedIn";
      readonly url: string;
      /** Empty until the gateway could be asked. */
      readonly username: string;
      /** Undefined while all is well, else why the gateway can't be heard. */
      readonly trouble: string | undefined;
      /** Whether the workspaces were heard of at least once. */
      readonly isListed: boolean;
    };

/** The state while no bridge can be had. */
export function withoutBridge(error: Error): SessionState {
  const isDownloadable = error instanceof BridgeUnavailable && error.isDownloadable;
  return { kind: "noBridge", reason: describeError(error), isDownloadable };
}
