import type { StreamResult } from "../../src/bridge/messages";
import type { OpenStream, Stream, StreamListener } from "../../src/bridge/stream";

/** A stream that a test plays the bridge's end of. */
export class FakeStream implements Stream {
  readonly sent: (string | object)[] = [];
  isClosed = false;

  constructor(
    readonly opened: StreamResult,
    readonly listener: StreamListener,
  ) {}

  sendBinary(data: Uint8Array): void {
    this.sent.push(new TextDecoder().decode(data));
  }

  sendText(message: object): void {
    this.sent.push(message);
  }

  close(): void {
    this.isClosed = true;
  }
}

export class FakeStreams {
  readonly all: FakeStream[] = [];

  readonly open: OpenStream = (opened, listener) => {
    const stream = new FakeStream(opened, listener);
    this.all.push(stream);
    return stream;
  };

  /** The one opened last. */
  get last(): FakeStream {
    const found = this.all.at(-1);
    if (found === undefined) throw new Error("no stream was opened");
    return found;
  }
}

/** Let everything that is ready to go on do so. */
export async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
