import { describe, expect, it } from 'vitest';
import { type CommandId, type KeyStroke, resolveKeymap } from '../../src-shared/keymap.ts';
import { commandFor, contextsAt } from './keymap.ts';

const { bindings } = resolveKeymap(false, []);
const anyCommand = () => true;

function stroke(key: string, over: Partial<KeyStroke> = {}): KeyStroke {
  const code = /^[a-z]$/i.test(key) ? `Key${key.toUpperCase()}` : key;
  return { key, code, ctrlKey: false, shiftKey: false, altKey: false, metaKey: false, ...over };
}
const ctrlShift = { ctrlKey: true, shiftKey: true };

describe('contexts around the focus', () => {
  it('are found from the inside out and end with always', () => {
    document.body.innerHTML = `
      <div data-context="claude"><div data-context="permission"><button id="inside"></button></div></div>
      <button id="outside"></button>`;
    expect(contextsAt(document.querySelector('#inside'))).toEqual(['permission', 'claude', 'always']);
    expect(contextsAt(document.querySelector('#outside'))).toEqual(['always']);
    expect(contextsAt(null)).toEqual(['always']);
  });
});

describe('a stroke', () => {
  it('means the command that is bound to it', () => {
    expect(commandFor(stroke('T', ctrlShift), ['always'], bindings, anyCommand)).toBe('session.newTerminal');
    expect(commandFor(stroke('t', { ctrlKey: true }), ['always'], bindings, anyCommand)).toBeNull();
  });

  it('means the innermost context first: Escape leaves the request before it interrupts Claude', () => {
    expect(commandFor(stroke('Escape'), ['permission', 'claude', 'always'], bindings, anyCommand)).toBe('permission.leave');
    expect(commandFor(stroke('Escape'), ['claude', 'always'], bindings, anyCommand)).toBe('claude.interrupt');
    expect(commandFor(stroke('Escape'), ['always'], bindings, anyCommand)).toBeNull();
  });

  it('types plain digits anywhere but on a permission request', () => {
    expect(commandFor(stroke('1', { code: 'Digit1' }), ['claude', 'always'], bindings, anyCommand)).toBeNull();
    expect(commandFor(stroke('1', { code: 'Digit1' }), ['permission', 'claude', 'always'], bindings, anyCommand)).toBe(
      'permission.allow',
    );
  });

  it('passes over a command that cannot run now', () => {
    const canRun = (command: CommandId) => command !== 'permission.leave';
    expect(commandFor(stroke('Escape'), ['permission', 'claude', 'always'], bindings, canRun)).toBe('claude.interrupt');
  });

  it("follows the user's rows: the last one wins, a minus unbinds", () => {
    const mine = resolveKeymap(false, [
      { key: 'ctrl+shift+t', command: 'session.newClaude' },
      { key: 'ctrl+shift+n', command: '-session.newClaude' },
    ]).bindings;
    expect(commandFor(stroke('T', ctrlShift), ['always'], mine, anyCommand)).toBe('session.newClaude');
    expect(commandFor(stroke('N', ctrlShift), ['always'], mine, anyCommand)).toBeNull();
  });
});
