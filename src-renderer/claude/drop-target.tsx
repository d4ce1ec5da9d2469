import { type DragEvent, type ReactNode, type Ref, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';

/** The whole pane takes pictures that are dropped on it. */
export function DropTarget({
  onFiles,
  children,
  ref,
}: {
  onFiles: (files: readonly File[]) => void;
  children: ReactNode;
  ref: Ref<HTMLDivElement>;
}) {
  const { t } = useTranslation('claude');
  const [isOver, setOver] = useState(false);
  /** Entering a child comes before leaving its parent: what counts is how many have been entered. */
  const depth = useRef(0);
  const enter = (event: DragEvent) => {
    if (!hasFiles(event)) return;
    depth.current += 1;
    setOver(true);
  };
  const leave = (event: DragEvent) => {
    if (!hasFiles(event)) return;
    depth.current = Math.max(0, depth.current - 1);
    if (depth.current === 0) setOver(false);
  };
  const drop = (event: DragEvent) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth.current = 0;
    setOver(false);
    onFiles([...event.dataTransfer.files]);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is a second way; the button in the composer is the first
    <div
      ref={ref}
      data-context="claude"
      onDragEnter={enter}
      onDragLeave={leave}
      onDragOver={(event) => hasFiles(event) && event.preventDefault()}
      onDrop={drop}
      className="@container relative flex h-full min-h-0 flex-col"
    >
      {children}
      {isOver && (
        <div className="pointer-events-none absolute inset-2 z-30 flex items-center justify-center rounded-md border-2 border-dashed border-accent bg-canvas/80 text-15">
          {t('image.drop')}
        </div>
      )}
    </div>
  );
}

function hasFiles(event: DragEvent): boolean {
  return event.dataTransfer.types.includes('Files');
}
