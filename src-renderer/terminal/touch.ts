import type { IDisposable, Terminal } from '@xterm/xterm';

export interface TouchOptions {
  readonly terminal: Terminal;
  readonly element: HTMLElement;
  /** Of a row, in px; null while it is not known. */
  readonly cellHeight: () => number | null;
  /** Pulled further at the top of all live lines. */
  readonly onAboveTop: () => void;
}

/** Moved less, a finger taps. */
const TAP_PX = 8;
/** Pulled so far beyond the top before it is taken for a wish to see what is above. */
const WISH_PX = 120;
/** px per ms: slower, a finger that leaves lets nothing roll on. */
const LEAST_SPEED = 0.3;
/** What is left of the speed after each ms of rolling. */
const FRICTION = 0.996;
const USUAL_CELL_PX = 18;

interface Drag {
  y: number;
  ms: number;
  movedPx: number;
  /** px per ms, upwards positive. */
  speed: number;
  beyondTopPx: number;
}

/** Scrolls a terminal by finger, with a roll that runs out. xterm itself knows wheels only. */
export function listenToTouch({ terminal, element, cellHeight, onAboveTop }: TouchOptions): IDisposable {
  const stop = new AbortController();
  const { signal } = stop;
  let drag: Drag | null = null;
  /** Less than a row, kept for the next movement. */
  let restPx = 0;
  let roll: number | null = null;

  const endRoll = () => {
    if (roll !== null) cancelAnimationFrame(roll);
    roll = null;
  };
  const move = (px: number) => {
    const rowPx = cellHeight() ?? USUAL_CELL_PX;
    restPx += px;
    const rows = Math.trunc(restPx / rowPx);
    restPx -= rows * rowPx;
    if (rows !== 0) scroll(terminal, element, rows);
  };
  const rollOn = (speed: number, lastMs: number) => {
    roll = requestAnimationFrame((ms) => {
      const slower = speed * FRICTION ** (ms - lastMs);
      move(slower * (ms - lastMs));
      if (Math.abs(slower) < LEAST_SPEED / 4) roll = null;
      else rollOn(slower, ms);
    });
  };

  element.addEventListener(
    'touchstart',
    ({ touches, timeStamp }) => {
      endRoll();
      const [finger] = touches;
      drag = touches.length === 1 && finger ? { y: finger.clientY, ms: timeStamp, movedPx: 0, speed: 0, beyondTopPx: 0 } : null;
      restPx = 0;
    },
    { passive: true, signal },
  );
  element.addEventListener(
    'touchmove',
    (event) => {
      const [finger] = event.touches;
      if (drag === null || !finger || event.touches.length > 1) return;
      const px = drag.y - finger.clientY;
      const ms = Math.max(1, event.timeStamp - drag.ms);
      drag = { ...drag, y: finger.clientY, ms: event.timeStamp, movedPx: drag.movedPx + Math.abs(px), speed: px / ms };
      if (drag.movedPx < TAP_PX) return;
      if (event.cancelable) event.preventDefault();
      drag.beyondTopPx = px < 0 && isAtTop(terminal) ? drag.beyondTopPx - px : 0;
      if (drag.beyondTopPx > WISH_PX) {
        drag = null;
        onAboveTop();
      } else move(px);
    },
    { passive: false, signal },
  );
  const end = () => {
    if (drag !== null && drag.movedPx >= TAP_PX && Math.abs(drag.speed) > LEAST_SPEED) rollOn(drag.speed, performance.now());
    drag = null;
  };
  element.addEventListener('touchend', end, { signal });
  element.addEventListener('touchcancel', end, { signal });
  return {
    dispose: () => {
      endRoll();
      stop.abort();
    },
  };
}

function isAtTop(terminal: Terminal): boolean {
  const { active } = terminal.buffer;
  return active.type === 'normal' && active.viewportY === 0 && terminal.modes.mouseTrackingMode === 'none';
}

/** A program that takes the mouse, or the whole screen, is told by a wheel, as from a desk. */
function scroll(terminal: Terminal, element: HTMLElement, rows: number): void {
  if (terminal.buffer.active.type === 'normal' && terminal.modes.mouseTrackingMode === 'none') {
    terminal.scrollLines(rows);
    return;
  }
  const screen = element.querySelector('.xterm-screen');
  const box = screen?.getBoundingClientRect();
  if (!screen || !box) return;
  const at = { clientX: box.left + box.width / 2, clientY: box.top + box.height / 2 };
  for (let row = 0; row < Math.abs(rows); row++) {
    screen.dispatchEvent(
      new WheelEvent('wheel', {
        deltaY: Math.sign(rows),
        deltaMode: WheelEvent.DOM_DELTA_LINE,
        bubbles: true,
        cancelable: true,
        ...at,
      }),
    );
  }
}
