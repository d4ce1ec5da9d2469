import type { IDisposable, Terminal } from '@xterm/xterm';

type Parser = Terminal['parser'];

/** Control sequences by which a program asks the terminal something: device, status, modes, sizes, keyboard protocol. */
const CSI_QUERIES = [
  { final: 'c' },
  { prefix: '>', final: 'c' },
  { prefix: '=', final: 'c' },
  { final: 'n' },
  { prefix: '?', final: 'n' },
  { intermediates: '$', final: 'p' },
  { prefix: '?', intermediates: '$', final: 'p' },
  { prefix: '>', final: 'q' },
  { final: 't' },
  { final: 'x' },
  { prefix: '?', final: 'u' },
];
const DCS_QUERIES = [
  { intermediates: '$', final: 'q' },
  { intermediates: '+', final: 'q' },
];
/** Colours: the value `?` asks for one, anything else sets it. */
const COLOUR_COMMANDS = [4, 5, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19];

/**
 * The host's screen alone answers a program's questions; a viewer, of which there may be many and which may be replaying old
 * output, keeps silent [pty-6].
 */
export function swallowQueries(parser: Parser): IDisposable {
  const swallow = () => true;
  const handlers = [
    ...CSI_QUERIES.map((id) => parser.registerCsiHandler(id, swallow)),
    ...DCS_QUERIES.map((id) => parser.registerDcsHandler(id, swallow)),
    ...COLOUR_COMMANDS.map((command) => parser.registerOscHandler(command, (data) => data.split(';').includes('?'))),
  ];
  return {
    dispose: () => {
      for (const handler of handlers) handler.dispose();
    },
  };
}

/**
 * xterm reports the focus not only when it changes but also, as an answer, when a program asks to hear of it. Only what happens
 * during a focus event of the page is the user's doing.
 */
export function watchFocus(element: HTMLElement): { readonly isChanging: () => boolean } & IDisposable {
  let isChanging = false;
  const begin = () => {
    isChanging = true;
  };
  const end = () => {
    isChanging = false;
  };
  // In this order for one change: `focus` on its way down to xterm's own listener, then `focusin` on its way up.
  element.addEventListener('focus', begin, true);
  element.addEventListener('focusin', end);
  element.addEventListener('blur', begin, true);
  element.addEventListener('focusout', end);
  return {
    isChanging: () => isChanging,
    dispose: () => {
      element.removeEventListener('focus', begin, true);
      element.removeEventListener('focusin', end);
      element.removeEventListener('blur', begin, true);
      element.removeEventListener('focusout', end);
    },
  };
}

const FOCUS_REPORTS: ReadonlySet<string> = new Set(['\u001b[I', '\u001b[O']);

export function isFocusReport(data: string): boolean {
  return FOCUS_REPORTS.has(data);
}
