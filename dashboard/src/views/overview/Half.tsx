/** A panel that takes half of the overview's width. */
import type { ReactElement } from "react";

/** How many rows a panel shows. */
export const SHOWN = 6;

export function Half({
  title,
  more,
  children,
}: {
  title: string;
  more?: { text: string; to: string };
  children: ReactElement;
}): ReactElement {
  return (
    <section className="card half" aria-label={title}>
      <header>
        <h2>{title}</h2>
        {more === undefined ? null : (
          <a className="push small" href={more.to}>
            {more.text}
          </a>
        )}
      </header>
      {children}
    </section>
  );
}
