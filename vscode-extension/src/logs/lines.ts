import { stripVTControlCharacters } from "node:util";
import type { LogLine } from "../bridge/messages";

/** A line as the output channel shows it; VS Code's `log` language colours the time and the level. */
export function formatLine({ time, level, text }: LogLine): string {
  return `${formatTime(new Date(time))} [${level}] ${stripVTControlCharacters(text)}`;
}

/** A remark of our own between the lines. */
export function formatRemark(text: string): string {
  return `--- ${text} ---`;
}

function formatTime(time: Date): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  const milliseconds = String(time.getMilliseconds()).padStart(3, "0");
  return `${date} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${milliseconds}`;
}
