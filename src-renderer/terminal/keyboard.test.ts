import { Terminal } from '@xterm/xterm';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Keyboard } from './keyboard.ts';

let handle: (event: KeyboardEvent) => boolean;
let typed: string[];
const onCopy = vi.fn();
const onPaste = vi.fn();

function keyboard(isWindows = false): { readonly terminal: Terminal; readonly made: Keyboard } {
  const terminal = new Terminal();
  typed = [];
  terminal.onData((data) => typed.push(data));
  vi.spyOn(terminal, 'attachCustomKeyEventHandler').mockImplementation((given) => {
    handle = given;
  });
  return { terminal, made: new Keyboard({ terminal, isWindows, onCopy, onPaste }) };
}
const press = (key: string, modifiers: KeyboardEventInit = {}, type = 'keydown') => {
  const event = new KeyboardEvent(type, { key, cancelable: true, ...modifiers });
  return { isXterms: handle(event), isDone: event.defaultPrevented };
};

beforeEach(() => {
  onCopy.mockReset();
  onPaste.mockReset();
});

describe('Keyboard', () => {
  it('types Escape and Return for Shift+Enter, once, and lets nothing else come of it', () => {
    keyboard();
    expect(press('Enter', { shiftKey: true })).toEqual({ isXterms: false, isDone: true });
    expect(press('Enter', { shiftKey: true }, 'keypress')).toEqual({ isXterms: false, isDone: true });
    expect(typed).toEqual(['\u001b\r']);
  });

  it.each([[{}], [{ altKey: true }], [{ ctrlKey: true, shiftKey: true }]])('leaves Enter with %j to xterm', (modifiers) => {
    keyboard();
    expect(press('Enter', modifiers).isXterms).toBe(true);
    expect(typed).toEqual([]);
  });

  it('takes no part in composing text', () => {
    keyboard();
    expect(press('Enter', { shiftKey: true, isComposing: true })).toEqual({ isXterms: true, isDone: false });
  });

  it('lets Tab move the focus where that is wanted', () => {
    const { made } = keyboard();
    expect(press('Tab').isXterms).toBe(true);
    made.tabMovesFocus = true;
    expect(press('Tab')).toEqual({ isXterms: false, isDone: false });
    expect(press('Tab', { shiftKey: true }).isXterms).toBe(false);
    expect(press('Tab', { ctrlKey: true }).isXterms).toBe(true);
  });

  it('copies with Ctrl+C on Windows only while something is selected', () => {
    const { terminal } = keyboard(true);
    const selection = vi.spyOn(terminal, 'hasSelection').mockReturnValue(false);
    expect(press('c', { ctrlKey: true }).isXterms).toBe(true);
    expect(onCopy).not.toHaveBeenCalled();
    selection.mockReturnValue(true);
    expect(press('c', { ctrlKey: true })).toEqual({ isXterms: false, isDone: true });
    expect(onCopy).toHaveBeenCalledOnce();
  });

  it('pastes with Ctrl+V on Windows and nowhere else', () => {
    keyboard(false);
    expect(press('v', { ctrlKey: true }).isXterms).toBe(true);
    keyboard(true);
    expect(press('v', { ctrlKey: true }).isXterms).toBe(false);
    expect(onPaste).toHaveBeenCalledOnce();
  });
});
