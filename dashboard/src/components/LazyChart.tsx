/** The chart, loaded when one is shown: its library is a fifth of the page. */
import { type ComponentProps, lazy, type ReactElement, Suspense } from "react";

const Loaded = lazy(() => import("./Chart"));

export function Chart(props: ComponentProps<typeof Loaded>): ReactElement {
  return (
    <Suspense fallback={null}>
      <Loaded {...props} />
    </Suspense>
  );
}
