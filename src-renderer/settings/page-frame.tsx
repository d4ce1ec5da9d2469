import { Search } from 'lucide-react';
import { type ReactNode, type Ref, useEffect, useRef } from 'react';
import { Icon } from '../ui/icon.tsx';
import type { PageName } from '../workspace/layout.ts';
import { paneIdOf } from '../workspace/layout.ts';
import { addFocusTaker } from '../workspace/pane-focus.ts';

/** A page in a pane: a search field that takes the focus, and what it found below, which keeps its place while the tab is behind. */
export function PageFrame({
  page,
  visible,
  label,
  query,
  onQuery,
  aside,
  children,
}: {
  page: PageName;
  visible: boolean;
  /** Name and placeholder of the search field. */
  label: string;
  query: string;
  onQuery: (query: string) => void;
  aside?: ReactNode;
  children: ReactNode;
}) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => addFocusTaker(paneIdOf({ is: 'page', page }), () => field.current?.focus()), [page]);
  return (
    <div className="@container flex h-full flex-col">
      <div className="flex h-11 shrink-0 items-center gap-2 border-b border-line px-4 has-[input:focus-visible]:border-accent">
        <Icon of={Search} className="text-faint" />
        <input
          ref={field}
          type="search"
          aria-label={label}
          placeholder={label}
          spellCheck={false}
          value={query}
          onChange={(event) => onQuery(event.target.value)}
          className="h-7 min-w-0 flex-1 bg-transparent px-1 select-text focus-visible:outline-none"
        />
        {aside}
      </div>
      <KeptScroll visible={visible}>{children}</KeptScroll>
    </div>
  );
}

/** The dock takes a hidden pane out of the document, which forgets how far it was scrolled. */
function KeptScroll({ visible, children }: { visible: boolean; children: ReactNode }) {
  const scroller = useRef<HTMLDivElement>(null);
  const top = useRef(0);
  useEffect(() => {
    if (visible && scroller.current) scroller.current.scrollTop = top.current;
  }, [visible]);
  return (
    <div
      ref={scroller as Ref<HTMLDivElement>}
      className="min-h-0 flex-1 overflow-y-auto"
      onScroll={(event) => {
        if (event.currentTarget.isConnected && event.currentTarget.clientHeight > 0) top.current = event.currentTarget.scrollTop;
      }}
    >
      {children}
    </div>
  );
}
