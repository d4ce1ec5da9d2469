import { create } from 'zustand';

/** Both texts alternate between two regions, so that saying the same words twice is heard twice. */
interface Said {
  readonly texts: readonly [string, string];
  readonly turn: 0 | 1;
}
const useSaid = create<Said>(() => ({ texts: ['', ''], turn: 0 }));

/** Says something to screen readers without moving the focus. */
export function announce(text: string): void {
  useSaid.setState(({ turn }) => (turn === 0 ? { texts: ['', text], turn: 1 } : { texts: [text, ''], turn: 0 }));
}

/** One per window. */
export function Announcer() {
  const { texts } = useSaid();
  return (
    <>
      <div role="status" aria-live="polite" className="sr-only">
        {texts[0]}
      </div>
      <div role="status" aria-live="polite" className="sr-only">
        {texts[1]}
      </div>
    </>
  );
}
