/** One light for each thing polybot depends on, with the age of its last success. */
import type { ReactElement } from "react";
import { Skeleton } from "../../components/parts";
import { useDesk, useNow } from "../../desk";
import { duration } from "../../format/time";
import { useCell } from "../../live/store";
import type { Check } from "../../model";
import { Half } from "./Half";

/** Health is read every 10 s, so an age may be that much older than the check. */
const LATE_SECONDS = 12;

export function HealthLights(): ReactElement {
  const checks = useCell(useDesk().health);
  return (
    <Half title="Health">
      {checks === null ? (
        <Skeleton rows={3} />
      ) : (
        <ul className="lights">
          {checks.map((check) => (
            <Light key={check.name} check={check} />
          ))}
        </ul>
      )}
    </Half>
  );
}

function Light({ check }: { check: Check }): ReactElement {
  const now = useNow();
  const age = check.succeededAt === null ? null : (now - check.succeededAt) / 1000;
  const late = age === null || age > check.interval * 2 + LATE_SECONDS;
  const tone = !check.ok ? "bad" : late ? "warn" : "good";
  const word = !check.ok ? "failing" : late ? "late" : "ok";
  return (
    <li title={`Checked every ${duration(check.interval)}`}>
      <span className={`dot ${tone}`} aria-hidden="true" />
      <span>
        {check.name.replaceAll("_", " ")} <span className="unseen">{word}</span>
      </span>
      <span className="muted small">{age === null ? "never" : `${duration(age)} ago`}</span>
      {check.ok || check.error === "" ? null : <span className="error">{check.error}</span>}
    </li>
  );
}
