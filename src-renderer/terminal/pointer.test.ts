import { Terminal } from '@xterm/xterm';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { listenToPointer, wheelWatcher } from './pointer.ts';

describe('wheelWatcher', () => {
  let isAtTop = true;
  const onAboveTop = vi.fn();
  const turn = (deltaY: number, timeStamp: number) =>
    ({ deltaY, timeStamp, deltaMode: 0, ctrlKey: false, shiftKey: false }) as WheelEvent;
  beforeEach(() => {
    isAtTop = true;
    onAboveTop.mockReset();
  });

  it('opens what is above after a clear turn upwards at the top', () => {
    const watch = wheelWatcher(() => isAtTop, onAboveTop);
    watch(turn(-100, 0));
    expect(onAboveTop).not.toHaveBeenCalled();
    watch(turn(-100, 50));
    expect(onAboveTop).toHaveBeenCalledOnce();
  });

  it('wants more of a swing that has just arrived at the top', () => {
    const watch = wheelWatcher(() => isAtTop, onAboveTop);
    isAtTop = false;
    watch(turn(-100, 0));
    isAtTop = true;
    watch(turn(-100, 50));
    watch(turn(-100, 100));
    expect(onAboveTop).not.toHaveBeenCalled();
    watch(turn(-100, 150));
    expect(onAboveTop).toHaveBeenCalledOnce();
  });

  it('forgets what was turned when there is a rest or a turn downwards', () => {
    const watch = wheelWatcher(() => isAtTop, onAboveTop);
    watch(turn(-100, 0));
    watch(turn(-100, 1000));
    watch(turn(40, 1050));
    watch(turn(-100, 1100));
    expect(onAboveTop).not.toHaveBeenCalled();
  });
});

describe('listenToPointer', () => {
  function pane(over: Partial<Parameters<typeof listenToPointer>[0]> = {}) {
    const element = document.createElement('div');
    const terminal = new Terminal();
    const heard: string[] = [];
    listenToPointer({
      terminal,
      element,
      isMac: false,
      platform: () => 'linux',
      rightClickPastes: () => false,
      copiesOnSelect: () => false,
      onCopy: () => heard.push('copy'),
      onPaste: () => heard.push('paste'),
      onPasteText: (text) => heard.push(`text ${text}`),
      pathForFile: (file) => `/tmp/${file.name}`,
      onAboveTop: () => heard.push('above'),
      ...over,
    });
    return { element, terminal, heard };
  }
  const write = (to: Terminal, data: string) => new Promise<void>((done) => to.write(data, done));
  const rightClick = (init: MouseEventInit = {}) => new MouseEvent('contextmenu', { cancelable: true, bubbles: true, ...init });

  it('takes every pasted text before xterm does', () => {
    const { element, heard } = pane();
    const event = new Event('paste', { cancelable: true }) as ClipboardEvent;
    Object.defineProperty(event, 'clipboardData', { value: { getData: () => 'pasted' } });
    element.dispatchEvent(event);
    expect(heard).toEqual(['text pasted']);
    expect(event.defaultPrevented).toBe(true);
  });

  it('writes the quoted paths of dropped files', () => {
    const { element, heard } = pane();
    const event = new Event('drop', { cancelable: true }) as DragEvent;
    const files = [new File([], 'a b.txt'), new File([], 'c.txt')];
    Object.defineProperty(event, 'dataTransfer', { value: { types: ['Files'], files } });
    element.dispatchEvent(event);
    expect(heard).toEqual(["text '/tmp/a b.txt' /tmp/c.txt "]);
  });

  it('leaves what is dragged inside the window to the window', () => {
    const { element, heard } = pane();
    const event = new Event('drop', { cancelable: true }) as DragEvent;
    Object.defineProperty(event, 'dataTransfer', { value: { types: ['text/plain'], files: [] } });
    element.dispatchEvent(event);
    expect(heard).toEqual([]);
    expect(event.defaultPrevented).toBe(false);
  });

  it('pastes with the right button only where the user wants that', () => {
    const usual = pane();
    const event = rightClick();
    usual.element.dispatchEvent(event);
    expect(event.defaultPrevented).toBe(false);
    const pasting = pane({ rightClickPastes: () => true });
    pasting.element.dispatchEvent(rightClick());
    expect(pasting.heard).toEqual(['paste']);
  });

  it('leaves the right button to a program that takes the mouse, unless Shift is held', async () => {
    const { element, terminal } = pane();
    await write(terminal, '\u001b[?1000h');
    const plain = rightClick();
    element.dispatchEvent(plain);
    expect(plain.defaultPrevented).toBe(true);
    const shifted = rightClick({ shiftKey: true });
    element.dispatchEvent(shifted);
    expect(shifted.defaultPrevented).toBe(false);
  });
});
