import WebSocket from "ws";
import type { StreamResult } from "./messages";

/** What arrives on a stream (docs/bridge.md, "Streams"). */
export interface StreamListener {
  opened?(): void;
  /** A text message, decoded. */
  text(message: unknown): void;
  binary?(data: Uint8Array): void;
  /** The last call. `isOrderly` is false where the bridge did not say that the stream ends. */
  closed(isOrderly: boolean): void;
}

/** A stream's websocket. What is sent before it is open is sent when it is. */
export interface Stream {
  sendBinary(data: Uint8Array): void;
  sendText(message: object): void;
  close(): void;
}

export type OpenStream = (stream: StreamResult, listener: StreamListener) => Stream;

const NORMAL_CLOSURE = 1000;

/** Open the loopback websocket of a stream with its one-time token. */
export const openStream: OpenStream = ({ url, token }, listener) => {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  const early: (Uint8Array | string)[] = [];
  const send = (data: Uint8Array | string): void => {
    if (socket.readyState === WebSocket.CONNECTING) early.push(data);
    else if (socket.readyState === WebSocket.OPEN) socket.send(data);
  };
  socket.on("open", () => {
    socket.send(JSON.stringify({ token }));
    listener.opened?.();
    for (const data of early.splice(0)) socket.send(data);
  });
  socket.on("message", (data, isBinary) => {
    const bytes = toBuffer(data);
    if (isBinary) listener.binary?.(bytes);
    else listener.text(JSON.parse(bytes.toString("utf8")));
  });
  // An error is always followed by `close`, which tells the listener.
  socket.on("error", () => undefined);
  socket.on("close", (code) => {
    listener.closed(code === NORMAL_CLOSURE);
  });
  return {
    sendBinary: send,
    sendText: (message) => {
      send(JSON.stringify(message));
    },
    close: () => {
      socket.close(NORMAL_CLOSURE);
    },
  };
};

function toBuffer(data: WebSocket.RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return data instanceof ArrayBuffer ? Buffer.from(data) : data;
}
