import { Tabs as Radix } from 'radix-ui';
import type { ReactNode } from 'react';

export interface TabPage {
  readonly value: string;
  readonly label: string;
  readonly content: ReactNode;
}

export function Tabs({
  label,
  value,
  pages,
  onChange,
}: {
  label: string;
  value: string;
  pages: readonly TabPage[];
  onChange: (value: string) => void;
}) {
  return (
    <Radix.Root value={value} onValueChange={onChange} className="flex min-h-0 flex-1 flex-col">
      <Radix.List aria-label={label} className="flex gap-4 border-b border-line px-4">
        {pages.map((page) => (
          <Radix.Trigger
            key={page.value}
            value={page.value}
            className="-mb-px h-8 border-b border-transparent text-dim hover:text-text data-[state=active]:border-text data-[state=active]:text-text"
          >
            {page.label}
          </Radix.Trigger>
        ))}
      </Radix.List>
      {pages.map((page) => (
        <Radix.Content key={page.value} value={page.value} className="min-h-0 flex-1 overflow-y-auto">
          {page.content}
        </Radix.Content>
      ))}
    </Radix.Root>
  );
}
