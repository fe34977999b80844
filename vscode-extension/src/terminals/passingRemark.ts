const GREY = "\x1b[90m";
const PLAIN = "\x1b[0m";
const SAVE_CURSOR = "\x1b7";
const RESTORE_CURSOR = "\x1b8";
const ERASE_BELOW = "\x1b[J";

/** Control sequences that programs with a screen of their own (editors, pagers) begin and end with. */
const SCREEN_SWITCH = /\x1b\[\?(?:1049|1047|47)([hl])/g;

/** As much of the output's end as may be the beginning of such a sequence. */
const TAIL_LENGTH = 7;

/**
 * A grey line below the cursor that is taken back without a trace: a shell's prompt, half-typed line included, is as
 * it was before.
 *
 * A program that draws on a screen of its own would be drawn over, so nothing is shown there.
 */
export class PassingRemark {
  private isShown = false;
  private isOtherScreen = false;
  private tail = "";

  constructor(private readonly write: (text: string) => void) {}

  /** Note what the terminal showed, to know which screen is in use. */
  follow(output: string): void {
    const text = this.tail + output;
    for (const [, letter] of text.matchAll(SCREEN_SWITCH)) this.isOtherScreen = letter === "h";
    this.tail = text.slice(-TAIL_LENGTH);
  }

  /** Show a remark in place of the one before. */
  show(text: string, columns: number): void {
    if (this.isOtherScreen) return;
    this.takeBack();
    const line = `[${text}]`;
    const rows = Math.ceil(line.length / columns);
    // At the bottom of the screen a new line scrolls and the saved place would be another one: make room first.
    this.write(`${"\n".repeat(rows)}\x1b[${rows}A${SAVE_CURSOR}\r\n${GREY}${line}${PLAIN}`);
    this.isShown = true;
  }

  takeBack(): void {
    if (this.isShown) this.write(`${RESTORE_CURSOR}${ERASE_BELOW}`);
    this.isShown = false;
  }
}

/** A grey line that stays. */
export function formatLastRemark(text: string): string {
  return `\r\n${GREY}[${text}]${PLAIN}\r\n`;
}
