import { ArrowUp, ImagePlus, Square } from 'lucide-react';
import { type ReactNode, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { useKeyLabel } from '../../navigation/keymap.ts';
import { Button, IconButton } from '../../ui/button.tsx';
import { ACCEPTED } from './images.ts';

export interface ComposerFootProps {
  readonly options: ReactNode;
  readonly onFiles: (files: readonly File[]) => void;
  readonly isBusy: boolean;
  readonly onInterrupt: () => void;
  readonly canSend: boolean;
  readonly onSend: () => void;
}

/** Below the text: pictures, mode, model and meter; interrupt and send. */
export function ComposerFoot({ options, onFiles, isBusy, onInterrupt, canSend, onSend }: ComposerFootProps) {
  const { t } = useTranslation('claude');
  const picker = useRef<HTMLInputElement>(null);
  const interruptKey = useKeyLabel('claude.interrupt');
  return (
    <div className="flex items-center gap-1 px-1.5 pb-1.5">
      <IconButton icon={ImagePlus} label={t('image.add')} onClick={() => picker.current?.click()} />
      <input
        ref={picker}
        type="file"
        multiple
        accept={ACCEPTED}
        hidden
        onChange={(event) => {
          onFiles([...(event.target.files ?? [])]);
          event.target.value = '';
        }}
      />
      <div className="flex min-w-0 flex-1 flex-wrap items-center gap-0.5">{options}</div>
      {isBusy && (
        <Button
          size="sm"
          icon={Square}
          onClick={onInterrupt}
          trailing={
            <kbd aria-hidden className="font-sans text-11 text-faint @max-[480px]:hidden phone:hidden">
              {interruptKey}
            </kbd>
          }
        >
          {t('composer.interrupt')}
        </Button>
      )}
      <IconButton
        icon={ArrowUp}
        label={isBusy ? t('composer.queue') : t('composer.send')}
        disabled={!canSend}
        onClick={onSend}
        className="bg-accent-fill text-on-accent hover:not-disabled:bg-accent-fill-hover hover:not-disabled:text-on-accent disabled:bg-selected disabled:text-faint"
      />
    </div>
  );
}
