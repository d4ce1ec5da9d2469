import { type FormEvent, useState } from 'react';
import { describeFailure } from '../ui/toasts.tsx';

/** A form's one action: busy while it runs, closed when it is done, told what is wrong when it is not. */
export function useSubmit(act: () => Promise<void>, onDone: () => void) {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const submit = async () => {
    if (isBusy) return;
    setBusy(true);
    setProblem(undefined);
    try {
      await act();
      onDone();
    } catch (error) {
      setProblem(describeFailure(error));
      setBusy(false);
    }
  };
  const handleSubmit = (event: FormEvent) => {
    event.preventDefault();
    void submit();
  };
  return { isBusy, problem, handleSubmit };
}
