import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Field, Input } from '../ui/input.tsx';
import { useSubmit } from './use-submit.ts';

interface RenameDialogProps {
  readonly title: string;
  readonly label: string;
  readonly help: string;
  readonly action: string;
  readonly name: string;
  readonly maxLength: number;
  /** Whether it has to be called something. */
  readonly isRequired?: boolean;
  readonly rename: (name: string) => Promise<void>;
  readonly onClose: () => void;
}

/** Gives something another name. */
export function RenameDialog(props: RenameDialogProps) {
  const { title, label, help, action, maxLength, isRequired = false, rename, onClose } = props;
  const { t } = useTranslation();
  const form = useId();
  const [name, setName] = useState(props.name);
  const { isBusy, problem, handleSubmit } = useSubmit(() => rename(name), onClose);
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={title}
      actions={
        <>
          <Button onClick={onClose}>{t('cancel')}</Button>
          <Button type="submit" form={form} variant="primary" busy={isBusy}>
            {action}
          </Button>
        </>
      }
    >
      <form id={form} onSubmit={handleSubmit}>
        <Field label={label} help={help} problem={problem}>
          {(ids) => (
            <Input
              {...ids}
              value={name}
              required={isRequired}
              maxLength={maxLength}
              onFocus={(event) => event.target.select()}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
      </form>
    </Dialog>
  );
}
