/** A strategy's parameters as fields with range and help. Bad values are told beside the field; nothing is sent before "Save". */
import { type FormEvent, type ReactElement, useId, useState } from "react";
import { ApiError } from "../api/http";
import { useDesk, useMayTrade } from "../desk";
import type { Parameter, ParameterValue, Strategy } from "../model";
import { problem, rangeText, read, type Typed, typed } from "./parameters";

type Texts = Readonly<Record<string, Typed>>;

export function StrategyForm({ strategy }: { strategy: Strategy }): ReactElement {
  const desk = useDesk();
  const mayTrade = useMayTrade();
  const [edits, setEdits] = useState<Texts>({});
  const [refused, setRefused] = useState<Readonly<Record<string, string>>>({});
  const [busy, setBusy] = useState(false);
  const changed = strategy.schema.filter((parameter) => isChanged(parameter, strategy, edits));
  const errors = Object.fromEntries(
    strategy.schema.map((parameter) => [
      parameter.name,
      problem(parameter, shown(parameter, strategy, edits)) ?? refused[parameter.name] ?? null,
    ]),
  );
  const valid = Object.values(errors).every((error) => error === null);

  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (!valid || changed.length === 0) return;
    setBusy(true);
    const parameters: Record<string, ParameterValue> = {};
    for (const parameter of changed) parameters[parameter.name] = read(parameter, shown(parameter, strategy, edits));
    try {
      desk.setStrategy(await desk.api.saveStrategy(strategy.name, { parameters }));
      setEdits({});
      desk.toasts.add("success", `${strategy.title}: parameters saved`);
    } catch (error) {
      if (error instanceof ApiError) setRefused(error.fields);
      desk.failed(`Could not save ${strategy.title}`, error);
    }
    setBusy(false);
  };

  const edit = (name: string, value: Typed): void => {
    setEdits({ ...edits, [name]: value });
    setRefused({});
  };

  return (
    <form onSubmit={(event) => void save(event)} noValidate>
      <div className="parameters">
        {strategy.schema.map((parameter) => (
          <Field
            key={parameter.name}
            parameter={parameter}
            value={shown(parameter, strategy, edits)}
            changed={changed.includes(parameter)}
            error={errors[parameter.name] ?? null}
            disabled={!mayTrade || busy}
            onChange={(value) => edit(parameter.name, value)}
          />
        ))}
      </div>
      {changed.length === 0 ? null : (
        <div className="save">
          <span className="muted">
            {changed.length} {changed.length === 1 ? "change" : "changes"}
          </span>
          <button type="button" className="button" onClick={() => setEdits({})}>
            Discard
          </button>
          <button type="submit" className="button primary" disabled={!valid || busy}>
            {busy ? "Saving…" : "Save"}
          </button>
        </div>
      )}
    </form>
  );
}

function shown(parameter: Parameter, strategy: Strategy, edits: Texts): Typed {
  return edits[parameter.name] ?? typed(strategy.parameters[parameter.name] ?? parameter.fallback);
}

function isChanged(parameter: Parameter, strategy: Strategy, edits: Texts): boolean {
  const edited = edits[parameter.name];
  return edited !== undefined && edited !== typed(strategy.parameters[parameter.name] ?? parameter.fallback);
}

interface FieldProps {
  readonly parameter: Parameter;
  readonly value: Typed;
  readonly changed: boolean;
  readonly error: string | null;
  readonly disabled: boolean;
  readonly onChange: (value: Typed) => void;
}

function Field({ parameter, value, changed, error, disabled, onChange }: FieldProps): ReactElement {
  const id = useId();
  const help = `${id}-help`;
  return (
    <div className={`parameter ${changed ? "changed" : ""}`}>
      <label htmlFor={id} title={parameter.name}>
        {parameter.title}
      </label>
      <Input
        id={id}
        help={help}
        parameter={parameter}
        value={value}
        bad={error !== null}
        disabled={disabled}
        onChange={onChange}
      />
      <span id={help} className="help">
        {error === null ? null : (
          <span className="error" role="alert">
            {error}{" "}
          </span>
        )}
        {sentence(parameter.help)} {rangeText(parameter)}
      </span>
    </div>
  );
}

function sentence(text: string): string {
  return text === "" || /[.!?]$/.test(text) ? text : `${text}.`;
}

interface InputProps {
  readonly id: string;
  readonly help: string;
  readonly parameter: Parameter;
  readonly value: Typed;
  readonly bad: boolean;
  readonly disabled: boolean;
  readonly onChange: (value: Typed) => void;
}

function Input({ id, help, parameter, value, bad, disabled, onChange }: InputProps): ReactElement {
  if (typeof value === "boolean") {
    return (
      <button
        id={id}
        type="button"
        role="switch"
        className="switch"
        aria-checked={value}
        aria-describedby={help}
        disabled={disabled}
        onClick={() => onChange(!value)}
      />
    );
  }
  if (parameter.kind === "choice") {
    return (
      <span className="field">
        <select
          id={id}
          value={value}
          disabled={disabled}
          aria-describedby={help}
          onChange={(event) => onChange(event.target.value)}
        >
          {parameter.choices.map((choice) => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      </span>
    );
  }
  const numeric = parameter.kind === "number" || parameter.kind === "integer";
  return (
    <span className={`field ${bad ? "bad" : ""}`}>
      <input
        id={id}
        value={value}
        disabled={disabled}
        inputMode={numeric ? "decimal" : "text"}
        autoComplete="off"
        spellCheck={false}
        aria-invalid={bad}
        aria-describedby={help}
        onChange={(event) => onChange(event.target.value)}
      />
      {parameter.unit === "" ? null : <span className="unit">{parameter.unit}</span>}
    </span>
  );
}
