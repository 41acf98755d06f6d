/** The page: status bar, navigation, the chosen view, dialogs, messages and keys. */
import { type ReactElement, useCallback, useEffect, useState } from "react";
import { LookingStrip } from "./components/Accounts";
import { Boundary } from "./components/Boundary";
import { HaltDialog, HaltStrips } from "./components/Halt";
import { Help } from "./components/Help";
import { Icon } from "./components/Icon";
import { Nav, TITLES } from "./components/Nav";
import { StatusBar, useFreshness } from "./components/StatusBar";
import { Toasts } from "./components/Toasts";
import { useMayHalt } from "./desk";
import { useKeys } from "./keys";
import { type Route, useRoute } from "./route";
import { Arbitrage } from "./views/Arbitrage";
import { Fills } from "./views/Fills";
import { Markets } from "./views/Markets";
import { Orders } from "./views/Orders";
import { Overview } from "./views/Overview";
import { Positions } from "./views/Positions";
import { Results } from "./views/Results";
import { Strategies } from "./views/Strategies";

type Open = "halt" | "help" | null;

export function App(): ReactElement {
  const route = useRoute();
  const [open, setOpen] = useState<Open>(null);
  const mayHalt = useMayHalt();
  const { warning } = useFreshness();
  const halt = useCallback(() => mayHalt && setOpen("halt"), [mayHalt]);
  const help = useCallback(() => setOpen("help"), []);
  const close = useCallback(() => setOpen(null), []);
  useKeys({ halt, help, busy: open !== null });
  useEffect(() => {
    document.title = `${TITLES[route.view]} · polybot`;
  }, [route.view]);
  return (
    <div className={`shell ${warning === "" ? "" : "stale"}`}>
      <button type="button" className="skip" onClick={() => document.getElementById("main")?.focus()}>
        To the content
      </button>
      <header className="top">
        <StatusBar onHalt={halt} onHelp={help} />
        <LookingStrip />
        <HaltStrips />
        {warning === "" ? null : (
          <div className="strip stalled" role="alert">
            <Icon name="alert" />
            {warning}
          </div>
        )}
      </header>
      <Nav view={route.view} onHelp={help} />
      <main id="main" className="main" tabIndex={-1}>
        <Boundary key={route.view}>
          <Chosen route={route} />
        </Boundary>
      </main>
      {open === "halt" ? <HaltDialog onClose={close} /> : null}
      {open === "help" ? <Help onClose={close} /> : null}
      <Toasts />
    </div>
  );
}

function Chosen({ route }: { route: Route }): ReactElement {
  switch (route.view) {
    case "overview":
      return <Overview />;
    case "markets":
      return <Markets chosen={route.item} />;
    case "orders":
      return <Orders />;
    case "positions":
      return <Positions />;
    case "fills":
      return <Fills />;
    case "results":
      return <Results />;
    case "strategies":
      return <Strategies />;
    case "arbitrage":
      return <Arbitrage chosen={route.item} />;
  }
}
