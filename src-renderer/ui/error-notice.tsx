import { TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { Button } from './button.tsx';
import { Icon } from './icon.tsx';

/** What happened, why, and one way out. `fact` is danger when something was lost or failed, else a plain notice. */
export function ErrorNotice({
  title,
  text,
  action,
  tone = 'danger',
  children,
}: {
  title: string;
  text?: string | null | undefined;
  action?: { label: string; onSelect: () => void; busy?: boolean };
  tone?: 'danger' | 'plain';
  children?: ReactNode;
}) {
  return (
    <div
      role={tone === 'danger' ? 'alert' : undefined}
      className="flex items-start gap-2 rounded-md border border-line bg-sunken px-3 py-2"
    >
      <Icon of={TriangleAlert} className={tone === 'danger' ? 'mt-0.5 text-danger' : 'mt-0.5 text-dim'} />
      <div className="min-w-0 flex-1 selectable">
        <p className="font-medium break-words">{title}</p>
        {text && <p className="text-dim break-words">{text}</p>}
        {children}
      </div>
      {action && (
        <Button size="sm" busy={action.busy ?? false} onClick={action.onSelect}>
          {action.label}
        </Button>
      )}
    </div>
  );
}
