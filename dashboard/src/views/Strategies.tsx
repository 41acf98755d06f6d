/** Strategies: switched on and off, their parameters within their ranges, and what they have done. */
import type { ReactElement } from "react";
import { useEffect, useState } from "react";
import { Empty, Reasons, Skeleton, StatusBadge } from "../components/parts";
import { StrategyForm } from "../components/StrategyForm";
import { useDesk, useMayTrade, useNow } from "../desk";
import { count } from "../format/money";
import { ago, clock } from "../format/time";
import { useCell } from "../live/store";
import type { Strategy, StrategyStatus } from "../model";

export function Strategies(): ReactElement {
  const desk = useDesk();
  const strategies = useCell(desk.strategies);
  useEffect(() => {
    desk.loadStrategies().catch((error: unknown) => desk.failed("Could not read the strategies", error));
  }, [desk]);
  return (
    <>
      <div className="head">
        <h1>Strategies</h1>
        <span className="muted">Changes take effect at once, without a restart.</span>
      </div>
      {strategies === null ? (
        <div className="card">
          <Skeleton rows={8} />
        </div>
      ) : strategies.length === 0 ? (
        <div className="card">
          <Empty icon="strategies" title="No strategies yet">
            The trader registers its strategies when it starts.
          </Empty>
        </div>
      ) : (
        <div className="strategies">
          {strategies.map((strategy) => (
            <StrategyCard key={strategy.name} strategy={strategy} />
          ))}
        </div>
      )}
    </>
  );
}

function StrategyCard({ strategy }: { strategy: Strategy }): ReactElement {
  const status = useCell(useDesk().strategyStatus).get(strategy.name) ?? null;
  const heading = `strategy-${strategy.name}`;
  return (
    <section className="card strategy" aria-labelledby={heading}>
      <header>
        <OnOff strategy={strategy} labelledBy={heading} />
        <h2 id={heading}>{strategy.title}</h2>
        <span className="push">
          <StatusBadge status={status === null ? "not running" : status.state} />
        </span>
      </header>
      <Counters status={status} />
      {status !== null && status.lastError !== "" ? (
        <p className="about loss small">Last error: {status.lastError}</p>
      ) : null}
      {strategy.help === "" ? null : <p className="about small">{strategy.help}</p>}
      <Reasons reasons={status?.refusals ?? []} what="opportunities seen and not taken" />
      <StrategyForm strategy={strategy} />
      <Changed strategy={strategy} />
    </section>
  );
}

function OnOff({ strategy, labelledBy }: { strategy: Strategy; labelledBy: string }): ReactElement {
  const desk = useDesk();
  const mayTrade = useMayTrade();
  const [busy, setBusy] = useState(false);
  const toggle = async (): Promise<void> => {
    setBusy(true);
    try {
      desk.setStrategy(await desk.api.saveStrategy(strategy.name, { enabled: !strategy.enabled }));
      desk.toasts.add("success", `${strategy.title} is switched ${strategy.enabled ? "off" : "on"}`);
    } catch (error) {
      desk.failed(`Could not switch ${strategy.title}`, error);
    }
    setBusy(false);
  };
  return (
    <button
      type="button"
      role="switch"
      className="switch"
      aria-checked={strategy.enabled}
      aria-labelledby={labelledBy}
      disabled={!mayTrade || busy}
      title={mayTrade ? (strategy.enabled ? "Switch off" : "Switch on") : "Needs the role trader"}
      onClick={() => void toggle()}
    />
  );
}

function Counters({ status }: { status: StrategyStatus | null }): ReactElement {
  const now = useNow();
  return (
    <dl className="counters live">
      <div>
        <dt>Signals</dt>
        <dd>{status === null ? "–" : count(status.signalsSent)}</dd>
      </div>
      <div>
        <dt>Last signal</dt>
        <dd className="nowrap">
          {status === null ? "–" : status.lastSignalAt === null ? "none" : ago(status.lastSignalAt, now)}
        </dd>
      </div>
      <div>
        <dt>Errors</dt>
        <dd className={status !== null && status.errors > 0 ? "loss" : ""}>{status === null ? "–" : status.errors}</dd>
      </div>
      <div>
        <dt>Overruns</dt>
        <dd className={status !== null && status.overruns > 0 ? "warn" : ""}>
          {status === null ? "–" : status.overruns}
        </dd>
      </div>
    </dl>
  );
}

function Changed({ strategy }: { strategy: Strategy }): ReactElement | null {
  const now = useNow();
  if (strategy.updatedAt === null) return null;
  return (
    <p className="history small muted">
      Last changed {clock(strategy.updatedAt, now)}
      {strategy.updatedBy === "" ? "" : ` by ${strategy.updatedBy}`}
    </p>
  );
}
