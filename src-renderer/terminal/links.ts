import { WebLinksAddon } from '@xterm/addon-web-links';
import type { IDisposable, ILink, Terminal } from '@xterm/xterm';
import { logicalLineAt } from './buffer-text.ts';
import { findPaths, webAddress } from './link-text.ts';

export type LinkTarget =
  | { readonly is: 'web'; readonly address: string }
  | { readonly is: 'file'; readonly path: string; readonly line: number };

export interface LinkHandlers {
  /** The user wants to follow it: a click with Ctrl or ⌘. A plain click does nothing. */
  readonly onOpen: (target: LinkTarget) => void;
  /** The pointer is on it (and where, in the window), or has left it. */
  readonly onHover: (hovered: { readonly target: LinkTarget; readonly x: number; readonly y: number } | null) => void;
  readonly isMac: boolean;
}

/** Makes web addresses, OSC 8 links and places in files of a terminal's text into links. */
export function addLinks(terminal: Terminal, { onOpen, onHover, isMac }: LinkHandlers): IDisposable {
  const activate = (event: MouseEvent, target: LinkTarget | null) => {
    if (target !== null && (isMac ? event.metaKey : event.ctrlKey)) onOpen(target);
  };
  const hover = (event: MouseEvent, target: LinkTarget | null) => {
    if (target !== null) onHover({ target, x: event.clientX, y: event.clientY });
  };
  const leave = () => onHover(null);
  const web = (uri: string): LinkTarget | null => {
    const address = webAddress(uri);
    return address === null ? null : { is: 'web', address };
  };

  terminal.options.linkHandler = {
    activate: (event, uri) => activate(event, web(uri)),
    hover: (event, uri) => hover(event, web(uri)),
    leave,
  };
  const addon = new WebLinksAddon((event, uri) => activate(event, web(uri)), {
    hover: (event, uri) => hover(event, web(uri)),
    leave,
  });
  terminal.loadAddon(addon);
  const files = terminal.registerLinkProvider({
    provideLinks: (y, callback) => {
      const { text, rangeOf } = logicalLineAt(terminal.buffer.active, y - 1);
      const links: ILink[] = findPaths(text).map(({ start, end, path, line }) => {
        const target: LinkTarget = { is: 'file', path, line };
        return {
          range: rangeOf(start, end),
          text: text.slice(start, end),
          activate: (event) => activate(event, target),
          hover: (event) => hover(event, target),
          leave,
        };
      });
      callback(links);
    },
  });
  return {
    dispose: () => {
      files.dispose();
      addon.dispose();
    },
  };
}
