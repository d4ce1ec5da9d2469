/** What the user is about to complete at the caret: a command at the very beginning, or a file after an `@`. */
export interface CompletionTrigger {
  readonly kind: 'command' | 'file';
  readonly query: string;
  /** What is replaced: from the sign to the caret. */
  readonly from: number;
  readonly to: number;
}

export function triggerAt(text: string, caret: number): CompletionTrigger | null {
  const before = text.slice(0, caret);
  const command = /^\/([^\s/]*)$/.exec(before);
  if (command) return { kind: 'command', query: command[1] ?? '', from: 0, to: caret };
  const file = /(?:^|\s)@([^\s@]*)$/.exec(before);
  if (!file) return null;
  const query = file[1] ?? '';
  return { kind: 'file', query, from: caret - query.length - 1, to: caret };
}

export interface SlashCommand {
  readonly name: string;
  readonly description: string;
  readonly argumentHint: string;
}

/** Commands that fit what was typed: those that begin with it, then those that hold it, then those it abbreviates. */
export function matchCommands(commands: readonly SlashCommand[], query: string, limit: number): readonly SlashCommand[] {
  const wanted = query.toLowerCase();
  const ranked = commands.flatMap((command) => {
    const rank = rankOf(command.name.toLowerCase(), wanted);
    return rank === null ? [] : [{ command, rank }];
  });
  // Sorting keeps the order of equals: Claude Code's own.
  ranked.sort((a, b) => a.rank - b.rank);
  return ranked.slice(0, limit).map(({ command }) => command);
}

function rankOf(name: string, wanted: string): number | null {
  if (name.startsWith(wanted)) return 0;
  if (name.split(/[-:_]/).some((part) => part.startsWith(wanted))) return 1;
  if (name.includes(wanted)) return 2;
  let from = 0;
  for (const letter of wanted) {
    const at = name.indexOf(letter, from);
    if (at < 0) return null;
    from = at + 1;
  }
  return 3;
}

/** The text and the caret after `replacement` took the trigger's place. */
export function complete(
  text: string,
  trigger: CompletionTrigger,
  replacement: string,
): { readonly text: string; readonly caret: number } {
  const after = text.slice(trigger.to);
  const space = after.startsWith(' ') || replacement.endsWith('/') ? '' : ' ';
  return {
    text: text.slice(0, trigger.from) + replacement + space + after,
    caret: trigger.from + replacement.length + (space === '' ? 0 : 1),
  };
}
