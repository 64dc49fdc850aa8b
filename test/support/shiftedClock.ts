/**
 * Preloaded into a node, it sets the clock of that process alone: CLOCK_SHIFT_FILE holds by how many ms, and is read at the
 * start and at each SIGUSR2. Only wall-clock time: what measures how long something takes doesn't change with it.
 */
import { readFileSync } from 'node:fs';

const file = process.env['CLOCK_SHIFT_FILE'];
const RealDate = Date;
let shiftMs = 0;

function read(): void {
  if (file !== undefined) shiftMs = Number(readFileSync(file, 'utf8'));
}

class ShiftedDate extends RealDate {
  constructor(...parts: readonly unknown[]) {
    super(...((parts.length === 0 ? [RealDate.now() + shiftMs] : parts) as [number]));
  }

  static override now(): number {
    return RealDate.now() + shiftMs;
  }
}

read();
process.on('SIGUSR2', read);
Object.assign(globalThis, { Date: ShiftedDate });
