/** What went wrong, as docs/bridge.md ("Errors") names it; `stopped`: there was no bridge to answer. */
export type BridgeErrorKind =
  "notSignedIn" | "gatewayUnreachable" | "refused" | "invalidParams" | "internal" | "stopped";

const KINDS: readonly string[] = ["notSignedIn", "gatewayUnreachable", "refused", "invalidParams", "internal"];

/** An error answered by the bridge. The message is a sentence for people. */
export class BridgeError extends Error {
  override readonly name = "BridgeError";

  constructor(
    message: string,
    readonly kind: BridgeErrorKind,
    readonly hint = "",
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** No bridge could be started. `remedy` says what to do about it. */
export class BridgeUnavailable extends Error {
  override readonly name = "BridgeUnavailable";

  /** Whether this machine only lacks a bridge, and gateways may have one for it. */
  readonly isDownloadable: boolean;

  constructor(
    message: string,
    readonly remedy: string,
    options?: ErrorOptions & { readonly isDownloadable?: boolean },
  ) {
    super(message, options);
    this.isDownloadable = options?.isDownloadable ?? false;
  }
}

/** Turn what a JSON-RPC client threw into a `BridgeError`. */
export function toBridgeError(error: unknown): BridgeError {
  if (error instanceof BridgeError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const data = readData(error);
  if (data === undefined) return new BridgeError(message, "stopped", "", { cause: error });
  return new BridgeError(message, data.kind, data.hint, { cause: error });
}

/** The sentences to show: what happened, and what to do next. */
export function describeError(error: unknown): string {
  if (error instanceof BridgeUnavailable) return `${error.message} ${error.remedy}`;
  if (error instanceof BridgeError) return error.hint ? `${error.message} ${error.hint}` : error.message;
  return error instanceof Error ? error.message : String(error);
}

export function isKind(error: unknown, kind: BridgeErrorKind): boolean {
  return error instanceof BridgeError && error.kind === kind;
}

function readData(error: unknown): { kind: BridgeErrorKind; hint: string } | undefined {
  if (typeof error !== "object" || error === null || !("data" in error)) return undefined;
  const data: unknown = error.data;
  if (typeof data !== "object" || data === null || !("kind" in data) || typeof data.kind !== "string") return undefined;
  const kind = KINDS.includes(data.kind) ? (data.kind as BridgeErrorKind) : "internal";
  const hint = "hint" in data && typeof data.hint === "string" ? data.hint : "";
  return { kind, hint };
}
