/** What `npm run cluster` shows: lines of its own, and those of the nodes behind their names. */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { styleText } from 'node:util';
import { prettyFactory } from 'pino-pretty';

type Colour = 'cyan' | 'yellow' | 'magenta' | 'green' | 'blue' | 'gray';
const COLOURS: readonly Colour[] = ['cyan', 'yellow', 'magenta', 'green', 'blue', 'gray'];
/** Each source waits for the output, and there are two of each node. */
const MAX_WAITING = 64;

export type Screen = {
  say(text: string): void;
  /** What must not be overlooked between the nodes' lines. */
  shout(text: string): void;
  /** Shows each line behind the node's name, unless `take` keeps it; resolves at the end of the source. */
  copy(source: Readable, label: string, take: (line: string) => boolean): Promise<void>;
};

export type ScreenOptions = {
  readonly output: NodeJS.WriteStream;
  /** The nodes' JSON lines are made readable, as `npm start` does it in a terminal. */
  readonly readable: boolean;
  /** Who was to read it is gone. */
  readonly onBroken: () => void;
};

export function createScreen({ output, readable, onBroken }: ScreenOptions): Screen {
  let broken = false;
  output.setMaxListeners(MAX_WAITING);
  output.on('error', () => {
    if (!broken) onBroken();
    broken = true;
  });
  const pretty = readable ? prettyFactory({ colorize: output.hasColors?.() ?? false, ignore: 'pid,node' }) : undefined;
  const style = (format: Parameters<typeof styleText>[0], text: string): string =>
    styleText(format, text, { stream: output });
  const colours = new Map<string, Colour>();
  const colourOf = (label: string): Colour => {
    const known = colours.get(label) ?? COLOURS[colours.size % COLOURS.length] ?? 'cyan';
    colours.set(label, known);
    return known;
  };
  /** Waits when the reader is slow, so that nothing piles up here. */
  async function write(text: string): Promise<void> {
    if (broken || output.write(text)) return;
    await once(output, 'drain').catch(() => {});
  }
  return {
    say: (text) => void write(`${text}\n`),
    shout: (text) => void write(`${style(['bold', 'red'], `\n${text}\n`)}\n`),
    async copy(source, label, take) {
      const prefix = style(colourOf(label), `${label} |`);
      for await (const line of createInterface({ input: source })) {
        if (line === '' || take(line)) continue;
        const shown = (pretty?.(line) ?? line).trimEnd().split('\n');
        await write(shown.map((each) => `${prefix} ${each}\n`).join(''));
      }
    },
  };
}
