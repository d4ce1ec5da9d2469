import type { LucideIcon } from 'lucide-react';
import { ContextMenu as RadixContext, DropdownMenu as RadixDropdown } from 'radix-ui';
import type { ReactNode } from 'react';
import { afterClose, Floating } from './after-close.tsx';
import { classes } from './classes.ts';
import { Icon } from './icon.tsx';
import { Kbd } from './kbd.tsx';

/** One line of a menu; `separator` draws a hairline. */
export type MenuItem =
  | 'separator'
  | {
      readonly label: string;
      readonly onSelect: () => void;
      readonly icon?: LucideIcon;
      readonly shortcut?: string | undefined;
      readonly disabled?: boolean;
      readonly danger?: boolean;
      /** A mark before the label: this one of several, or on. */
      readonly checked?: boolean;
    };

const panel = 'z-50 min-w-48 max-w-80 rounded-md border border-line bg-raised p-1 text-13 shadow-float animate-appear';
const line =
  'flex h-7 phone:h-11 items-center gap-2 rounded-sm px-2 outline-none data-[highlighted]:bg-selected data-[disabled]:opacity-45 cursor-default';

function Line({ item }: { item: Exclude<MenuItem, 'separator'> }) {
  return (
    <>
      {item.icon ? <Icon of={item.icon} className={item.danger ? '' : 'text-dim'} /> : null}
      <span className="min-w-0 flex-1 truncate">{item.label}</span>
      {item.checked && <span aria-hidden>✓</span>}
      {item.shortcut && <Kbd>{item.shortcut}</Kbd>}
    </>
  );
}

type Parts = typeof RadixDropdown | typeof RadixContext;

function Lines({ items, parts: Part }: { items: readonly MenuItem[]; parts: Parts }) {
  return items.map((item, index) =>
    item === 'separator' ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: a menu's lines do not move while it is open
      <Part.Separator key={index} className="my-1 h-px bg-line" />
    ) : (
      <Part.Item
        key={item.label}
        disabled={item.disabled ?? false}
        onSelect={() => afterClose(item.onSelect)}
        className={classes(line, item.danger && 'text-danger')}
        {...(item.checked === undefined ? {} : { role: 'menuitemradio', 'aria-checked': item.checked })}
      >
        <Line item={item} />
      </Part.Item>
    ),
  );
}

/** A menu that opens from the button that is its child. */
export function Menu({
  items,
  children,
  align = 'start',
  label,
  open,
  onOpenChange = ignore,
}: {
  items: readonly MenuItem[];
  children: ReactNode;
  align?: 'start' | 'end';
  label?: string;
  /** Given where something else than its button opens it too. */
  open?: boolean;
  onOpenChange?: (open: boolean) => void;
}) {
  return (
    <RadixDropdown.Root modal={false} onOpenChange={onOpenChange} {...(open === undefined ? {} : { open })}>
      <RadixDropdown.Trigger asChild>{children}</RadixDropdown.Trigger>
      <RadixDropdown.Portal>
        <RadixDropdown.Content aria-label={label} align={align} sideOffset={4} collisionPadding={8} className={panel}>
          <Floating />
          <Lines items={items} parts={RadixDropdown} />
        </RadixDropdown.Content>
      </RadixDropdown.Portal>
    </RadixDropdown.Root>
  );
}

/** A menu on right click, the menu key and Shift+F10 of its child. `items` is asked for when it opens. */
export function ContextMenu({
  items,
  children,
  onOpenChange,
  disabled = false,
}: {
  items: () => readonly MenuItem[];
  children: ReactNode;
  onOpenChange?: (open: boolean) => void;
  disabled?: boolean;
}) {
  return (
    <RadixContext.Root modal={false} onOpenChange={onOpenChange ?? ignore}>
      <RadixContext.Trigger asChild disabled={disabled}>
        {children}
      </RadixContext.Trigger>
      <RadixContext.Portal>
        <RadixContext.Content collisionPadding={8} className={panel}>
          <Floating />
          <OpenLines items={items} />
        </RadixContext.Content>
      </RadixContext.Portal>
    </RadixContext.Root>
  );
}

function OpenLines({ items }: { items: () => readonly MenuItem[] }) {
  return <Lines items={items()} parts={RadixContext} />;
}

function ignore(): void {}
