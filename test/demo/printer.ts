/** What the demo shows: numbered chapters, requests at the right, tables that line up. */
const WIDTH = 100;
const INDENT = '   ';
/** A number or an amount of money. */
const FIGURE = /^[\d.]+( [A-Z]{3})?$/;

export type Printer = {
  title(name: string, subtitle: string): void;
  note(text: string): void;
  /** A part of the demo, with chapters of its own. */
  story(name: string): void;
  /** A numbered chapter; `request` is the HTTP request that does it. */
  chapter(title: string, request?: string): void;
  table(rows: readonly (readonly string[])[]): void;
  line(text: string): void;
  success(text: string): void;
  failure(text: string): void;
  log(lines: readonly string[]): void;
};

export function createPrinter(write: (text: string) => void): Printer {
  let chapters = 0;
  const put = (text: string): void => write(`${text}\n`);
  return {
    title: (name, subtitle) => put(`\n${name}\n${'='.repeat(name.length)}\n${subtitle}\n`),
    note: put,
    story: (name) => put(`\n\n${`── ${name} `.padEnd(WIDTH, '─')}`),
    chapter(title, request = '') {
      chapters += 1;
      const heading = `${chapters}. ${title}`;
      put(`\n${request === '' ? heading : `${heading.padEnd(WIDTH - request.length - 1)} ${request}`}`);
    },
    table(rows) {
      const columns = columnsOf(rows);
      for (const row of rows) {
        const cells = row.map((cell, column) => columns[column]?.(cell) ?? cell);
        put(`${INDENT}${cells.join('   ')}`.trimEnd());
      }
    },
    line: (text) => put(`${INDENT}${text}`),
    success: (text) => put(`\n${text}\n`),
    failure: (text) => put(`\nThe demo failed: ${text}\n`),
    log(lines) {
      if (lines.length > 0)
        put(`The last lines of the node's log:\n${lines.map((line) => `${INDENT}${line}`).join('\n')}\n`);
    },
  };
}

/** Pads each column to its longest cell: words to the left; figures, with or without a heading, to the right. */
function columnsOf(rows: readonly (readonly string[])[]): ((cell: string) => string)[] {
  const count = Math.max(...rows.map((row) => row.length));
  return Array.from({ length: count }, (_, column) => {
    const cells = rows.map((row) => row[column] ?? '');
    const width = Math.max(...cells.map((cell) => cell.length));
    const figures = cells.slice(1).every((cell) => FIGURE.test(cell));
    return (cell) => (figures ? cell.padStart(width) : cell.padEnd(width));
  });
}
