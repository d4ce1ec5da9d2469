import { X } from 'lucide-react';
import { Dialog as Radix } from 'radix-ui';
import { type ReactNode, type RefObject, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { Floating } from './after-close.tsx';
import { IconButton } from './button.tsx';
import { classes } from './classes.ts';

export interface DialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  /** One sentence below the title. */
  description?: string;
  children: ReactNode;
  /** Buttons at the right end of the foot; the primary one last. */
  actions?: ReactNode;
  width?: 'narrow' | 'wide';
  /** What has the focus at first; without it, the first control after the cross. */
  initialFocus?: RefObject<HTMLElement | null>;
}

const overlay = 'fixed inset-0 z-40 bg-scrim animate-appear';
const content =
  'fixed left-1/2 z-40 flex w-[calc(100vw-24px)] -translate-x-1/2 flex-col rounded-md border border-line bg-raised shadow-float focus:outline-none';

export function Dialog({
  open,
  onOpenChange,
  title,
  description,
  children,
  actions,
  width = 'narrow',
  initialFocus,
}: DialogProps) {
  const panel = useRef<HTMLDivElement>(null);
  const { t } = useTranslation();
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className={overlay} />
        <Radix.Content
          ref={panel}
          onOpenAutoFocus={(event) => {
            event.preventDefault();
            const first = panel.current?.querySelector<HTMLElement>(
              '[data-dialog-body] :is(input, textarea, button), footer button',
            );
            (initialFocus?.current ?? first ?? panel.current)?.focus();
          }}
          className={classes(
            content,
            'top-[12vh] max-h-[80vh] phone:top-3 phone:max-h-[calc(var(--visible-height,100dvh)-24px)]',
            width === 'narrow' ? 'max-w-110' : 'max-w-160',
          )}
          {...(description === undefined ? { 'aria-describedby': undefined } : {})}
        >
          <Floating />
          <header className="flex items-start gap-2 px-4 pt-3 pb-1">
            <div className="min-w-0 flex-1">
              <Radix.Title className="text-15 font-semibold">{title}</Radix.Title>
              {description !== undefined && <Radix.Description className="text-dim">{description}</Radix.Description>}
            </div>
            <Radix.Close asChild>
              <IconButton icon={X} label={t('close')} className="-mr-1" />
            </Radix.Close>
          </header>
          <div data-dialog-body className="min-h-0 flex-1 overflow-y-auto px-4 py-2">
            {children}
          </div>
          {actions && <footer className="flex flex-wrap justify-end gap-2 border-t border-line px-4 py-3">{actions}</footer>}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

/** A dialog that is only a list with a search field (palette, go to session): no header, its title is for screen readers. */
export function BareDialog({
  open,
  onOpenChange,
  title,
  children,
}: Omit<DialogProps, 'actions' | 'description' | 'width' | 'initialFocus'>) {
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className={overlay} />
        <Radix.Content
          aria-describedby={undefined}
          className={classes(
            content,
            'top-[10vh] max-h-[70vh] max-w-150 overflow-hidden phone:top-3 phone:max-h-[calc(var(--visible-height,100dvh)-24px)]',
          )}
        >
          <Floating />
          <Radix.Title className="sr-only">{title}</Radix.Title>
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
