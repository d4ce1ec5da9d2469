import type { ReactNode } from 'react';

/** What a place says when there is nothing in it: what belongs here, and how to get it. */
export function EmptyState({ title, text, children }: { title: string; text?: string; children?: ReactNode }) {
  return (
    <div className="flex h-full flex-col items-center justify-center gap-1 px-6 py-8 text-center">
      <p className="text-15 font-medium">{title}</p>
      {text && <p className="max-w-90 text-dim">{text}</p>}
      {children && <div className="mt-4 flex flex-wrap justify-center gap-2">{children}</div>}
    </div>
  );
}
