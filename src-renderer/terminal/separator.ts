import type { Terminal } from '@xterm/xterm';
import type { Turning } from './output-queue.ts';

/** After these, what follows was printed by another program, or something may be missing before it. */
const SEPARATING: ReadonlySet<Turning['type']> = new Set(['started', 'interrupted', 'gap']);

/**
 * Draws a line with a note above the row where the output goes on. It is drawn over the terminal, not written into it: its text
 * stays exactly what programs wrote.
 */
export function separate(terminal: Terminal, type: Turning['type'], note: () => string): void {
  const { normal, active } = terminal.buffer;
  const isFirst = normal.baseY === 0 && normal.cursorY === 0 && normal.cursorX === 0;
  if (!SEPARATING.has(type) || isFirst || active.type !== 'normal') return;
  const marker = terminal.registerMarker();
  const decoration = terminal.registerDecoration({ marker, x: 0, width: terminal.cols });
  const words = note();
  decoration?.onRender((element) => {
    element.classList.add('terminal-separator');
    element.dataset.note = words;
    element.setAttribute('role', 'note');
    element.setAttribute('aria-label', words);
  });
}
