/** Keeps an error in one view from taking the status bar and its halt button along. */
import { Component, type ReactNode } from "react";
import { Empty } from "./parts";

export class Boundary extends Component<{ readonly children: ReactNode }, { readonly failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }

  override componentDidCatch(error: unknown): void {
    reportError(error);
  }

  override render(): ReactNode {
    if (!this.state.failed) return this.props.children;
    return (
      <div className="card">
        <Empty icon="alert" title="This view has failed">
          Trading is not affected and the halt button still works. Reload the page; the browser's console has the error.
        </Empty>
      </div>
    );
  }
}
