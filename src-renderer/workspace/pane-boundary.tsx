import i18next from 'i18next';
import { Component, type ErrorInfo, type ReactNode } from 'react';
import { ErrorNotice } from '../ui/error-notice.tsx';

/** What breaks in a pane stays in that pane. */
export class PaneBoundary extends Component<{ paneId: string; children: ReactNode }, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: unknown): { error: Error } {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override componentDidCatch(error: unknown, { componentStack }: ErrorInfo): void {
    console.error(`pane ${this.props.paneId} broke`, error, componentStack);
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === null) return this.props.children;
    return (
      <div className="p-4">
        <ErrorNotice
          title={i18next.t('pane.broken')}
          text={i18next.t('pane.brokenText', { message: error.message })}
          action={{ label: i18next.t('pane.reload'), onSelect: () => this.setState({ error: null }) }}
        />
      </div>
    );
  }
}
