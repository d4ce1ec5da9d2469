import { Command } from 'cmdk';
import { Search } from 'lucide-react';
import type { ReactNode } from 'react';
import { Icon } from '../ui/icon.tsx';
import './pick-list.css';

/** A search field over a list of lines, walked with the arrow keys: palette and "go to session". */
export function PickList({
  placeholder,
  empty,
  onQuery,
  children,
}: {
  placeholder: string;
  empty: string;
  onQuery?: (query: string) => void;
  children: ReactNode;
}) {
  return (
    <Command label={placeholder} loop className="baton-pick flex min-h-0 flex-col" filter={score}>
      <div className="flex h-11 shrink-0 items-center gap-2 border-b border-line px-3">
        <Icon of={Search} className="text-faint" />
        <Command.Input
          autoFocus
          placeholder={placeholder}
          onValueChange={(query) => onQuery?.(query)}
          className="h-full min-w-0 flex-1 bg-transparent text-15 select-text focus-visible:outline-none"
        />
      </div>
      <Command.List className="min-h-0 flex-1 overflow-y-auto p-1.5">
        <Command.Empty className="px-2 py-6 text-center text-faint">{empty}</Command.Empty>
        {children}
      </Command.List>
    </Command>
  );
}

/**
 * How well a line fits: 0 not at all. Every word must be there; a word at the beginning of a word counts most, letters spread in
 * order ("sprt" for "split right") count least. A line's words are its keywords; its value is an id.
 */
export function score(_value: string, query: string, keywords: readonly string[] = []): number {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const text = keywords.join(' ').toLowerCase();
  let least = 1;
  for (const word of words) least = Math.min(least, scoreWord(text, word));
  return least;
}

function scoreWord(text: string, word: string): number {
  const at = text.indexOf(word);
  if (at === 0) return 1;
  if (at > 0) return /[^\p{L}\p{N}]/u.test(text[at - 1] ?? '') || text.includes(` ${word}`) ? 0.9 : 0.6;
  return isSubsequence(text, word) ? 0.2 : 0;
}

function isSubsequence(text: string, word: string): boolean {
  let at = 0;
  for (const letter of word) {
    at = text.indexOf(letter, at) + 1;
    if (at === 0) return false;
  }
  return true;
}
