/** Modal dialogs on the browser's own <dialog>: focus stays inside, Escape closes, focus returns to where it was. */
import {
  type FormEvent,
  type ReactElement,
  type ReactNode,
  type SyntheticEvent,
  useEffect,
  useId,
  useRef,
  useState,
} from "react";
import { explain } from "../api/http";

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

export function Dialog({ title, onClose, children }: DialogProps): ReactElement {
  const element = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const dialog = element.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  const cancel = (event: SyntheticEvent): void => {
    event.preventDefault();
    onClose();
  };
  return (
    <dialog ref={element} aria-labelledby={heading} onCancel={cancel}>
      <div className="content">
        <h2 id={heading}>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}

interface ConfirmProps extends DialogProps {
  readonly action: string;
  readonly danger?: boolean;
  /** What is confirmed; the dialog closes when it is done, and says why when it fails. */
  readonly run: () => Promise<void>;
}

/** Ask before something that cannot be taken back; the confirming button has the focus, so Enter confirms. */
export function Confirm({ title, action, danger, run, onClose, children }: ConfirmProps): ReactElement {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const confirm = useRef<HTMLButtonElement>(null);
  useEffect(() => confirm.current?.focus(), []);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    try {
      await run();
      onClose();
    } catch (caught) {
      setError(explain(caught));
      setBusy(false);
    }
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={(event) => void submit(event)}>
        {children}
        {error === "" ? null : (
          <p className="loss" role="alert">
            {error}
          </p>
        )}
        <div className="actions">
          <button type="button" className="button" onClick={onClose}>
            Not now
          </button>
          <button type="submit" ref={confirm} disabled={busy} className={`button ${danger ? "danger" : "primary"}`}>
            {busy ? "Sending…" : action}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
