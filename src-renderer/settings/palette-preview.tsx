import { terminalPalette } from '../../src-shared/terminal-palettes.ts';
import { useWindow } from '../store.ts';
import { useTheme } from '../theme/appearance.ts';

/** What a terminal looks like in the chosen colours, font and size. A picture: screen readers have nothing to gain from it. */
export function PalettePreview() {
  const settings = useWindow((window) => window.settings);
  const palette = terminalPalette(settings['terminal.palette'], useTheme(), settings['terminal.palettes']);
  const ansi = (index: number) => ({ color: palette.ansi[index] });
  return (
    <div
      aria-hidden
      className="mb-3 overflow-x-auto rounded-md border border-line px-3 py-2 whitespace-pre"
      style={{
        background: palette.background,
        color: palette.foreground,
        fontFamily: settings['terminal.fontFamily'],
        fontSize: Math.min(20, settings['terminal.fontSize']),
        lineHeight: settings['terminal.lineHeight'],
      }}
    >
      <div>
        <span style={ansi(2)}>ada@laptop</span> <span style={ansi(4)}>~/baton</span> <span style={ansi(5)}>main</span> $ git
        status -s
      </div>
      <div>
        <span style={ansi(2)}>A </span> src/log.ts <span style={ansi(3)}> M</span> README.md <span style={ansi(1)}> D</span>{' '}
        old.ts <span style={ansi(6)}>??</span> notes.txt
      </div>
      <div className="flex items-center gap-0 pt-1">
        {palette.ansi.map((colour, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: sixteen fixed places
          <span key={index} style={{ background: colour }} className="h-3 w-4" />
        ))}
        <span className="ml-2 inline-block h-[1.1em] w-[0.6em]" style={{ background: palette.cursor }} />
      </div>
    </div>
  );
}
