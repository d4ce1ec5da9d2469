import { TriangleAlert, X } from 'lucide-react';
import { Toaster, toast } from 'sonner';
import { RefusalError } from '../../src-shared/refusal.ts';
import { Icon } from './icon.tsx';
import { PHONE, useMedia } from './media.ts';

/** Short notices at the window's foot. What needs an answer is never only a toast. */
export function Toasts({ theme }: { theme: 'light' | 'dark' }) {
  const isPhone = useMedia(PHONE);
  return (
    <Toaster
      theme={theme}
      style={{ fontFamily: 'var(--font-sans)' }}
      // On a phone the foot is where one types and begins.
      position={isPhone ? 'top-center' : 'bottom-right'}
      offset={isPhone ? { top: 56 } : { bottom: 36, right: 12 }}
      mobileOffset={isPhone ? { top: 56, left: 12, right: 12 } : { bottom: 36, left: 12, right: 12 }}
      visibleToasts={3}
      icons={{ error: <Icon of={TriangleAlert} className="mt-0.5 text-danger" />, close: <Icon of={X} size={14} /> }}
      toastOptions={{
        unstyled: true,
        classNames: {
          toast:
            'flex w-90 max-w-full items-start gap-3 rounded-md border border-line bg-raised px-3 py-2 text-13 text-text shadow-float',
          title: 'font-medium!',
          description: 'text-dim! break-words',
          content: 'min-w-0 flex-1',
          closeButton: 'order-last flex size-5 shrink-0 items-center justify-center rounded-sm text-dim hover:bg-hover',
          actionButton: 'h-6 shrink-0 rounded-md border border-line-strong px-2 text-11 hover:bg-hover',
        },
      }}
    />
  );
}

export interface ToastAction {
  readonly label: string;
  readonly onClick: () => void;
}

export function showNotice(title: string, options: { description?: string; action?: ToastAction; id?: string } = {}): void {
  toast(title, options);
}

/** Stays until it is dismissed. */
export function showProblem(title: string, options: { description?: string; action?: ToastAction } = {}): void {
  toast.error(title, { ...options, duration: Number.POSITIVE_INFINITY, closeButton: true });
}

/** Tells of a failure: `what` names the verb and the thing ("Could not rename the session"), the error says why and the way out. */
export function showFailure(what: string, error: unknown, action?: ToastAction): void {
  toast.error(what, { description: describeFailure(error), duration: 8000, ...(action ? { action } : {}) });
}

export function describeFailure(error: unknown): string {
  if (error instanceof RefusalError) return [error.refusal.message, error.refusal.hint].filter(Boolean).join(' ');
  return error instanceof Error ? error.message : String(error);
}
