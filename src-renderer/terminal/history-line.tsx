import { memo } from 'react';
import type { TerminalPalette } from '../../src-shared/terminal-palettes.ts';
import { cssOf, parseSgr } from './sgr.ts';

/** One line of the past, wrapped at the pane's width. */
export const HistoryLine = memo(function HistoryLine({
  index,
  line,
  palette,
}: {
  index: number;
  line: string;
  palette: TerminalPalette;
}) {
  return (
    <div className="history-line" data-line={index}>
      {parseSgr(line).map(({ text, style }, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: stretches of a line have no identity but their place
        <span key={at} style={cssOf(style, palette)}>
          {text}
        </span>
      ))}
    </div>
  );
});
