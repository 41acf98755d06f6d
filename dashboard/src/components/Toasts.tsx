/** The messages at the edge of the page. Screen readers hear successes politely and errors at once. */
import type { ReactElement } from "react";
import { useDesk } from "../desk";
import { useCell } from "../live/store";
import type { Toast } from "../live/toasts";
import { Icon } from "./Icon";

const ICONS = { success: "done", info: "signal", error: "alert" } as const;

export function Toasts(): ReactElement {
  const { toasts } = useDesk();
  const list = useCell(toasts.list);
  return (
    <section className="toasts" aria-label="Messages">
      {list.map((toast) => (
        <Message key={toast.id} toast={toast} onClose={() => toasts.dismiss(toast.id)} />
      ))}
    </section>
  );
}

function Message({ toast, onClose }: { toast: Toast; onClose: () => void }): ReactElement {
  const tone = toast.tone === "error" ? "loss" : toast.tone === "success" ? "gain" : "muted";
  return (
    <div className={`toast ${toast.tone}`} role={toast.tone === "error" ? "alert" : "status"}>
      <span className={tone}>
        <Icon name={ICONS[toast.tone]} />
      </span>
      <div>
        <strong>{toast.title}</strong>
        {toast.detail === "" ? null : <p>{toast.detail}</p>}
      </div>
      <button type="button" className="button plain icon tiny" aria-label="Dismiss" onClick={onClose}>
        <Icon name="close" />
      </button>
    </div>
  );
}
