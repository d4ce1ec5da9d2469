import { useTranslation } from 'react-i18next';
import type { MachineId } from '../../src-shared/ids.ts';
import { startable } from '../machines/machine-state.ts';
import { useWindow } from '../store.ts';
import { Field } from '../ui/input.tsx';
import { Select } from '../ui/select.tsx';

/** Where a session is to run. Nothing to choose with one machine; of several, those that are there and may be used. */
export function MachineField({
  value,
  onChange,
}: {
  /** null: this machine. */
  value: MachineId | null;
  onChange: (machineId: MachineId | null) => void;
}) {
  const { t } = useTranslation('machines');
  const list = useWindow((window) => window.machines);
  const machines = startable(list);
  if (machines.length < 2 && value === null) return null;
  const self = machines.find((machine) => machine.self);
  return (
    <Field label={t('choose.label')}>
      {({ id }) => (
        <Select
          id={id}
          value={value ?? self?.machineId ?? ''}
          options={machines.map(({ machineId, name, self: isSelf }) => ({
            value: machineId as string,
            label: isSelf ? t('choose.self', { name }) : name,
          }))}
          onChange={(chosen) =>
            onChange(machines.find(({ machineId, self: isSelf }) => machineId === chosen && !isSelf)?.machineId ?? null)
          }
        />
      )}
    </Field>
  );
}

/** The same machine, null where it is this one. */
export function elsewhere(machineId: MachineId | null): MachineId | null {
  return machineId === useWindow.getState().host?.machineId ? null : machineId;
}
