/** A table on a desk that becomes a list of cards on a phone. */
import type { ReactElement, ReactNode } from "react";

export interface Column<T> {
  readonly title: string;
  /** What the title means, where it does not say so itself. */
  readonly help?: string;
  readonly cell: (row: T) => ReactNode;
  readonly right?: boolean;
  /** On a phone: across the whole card and without its title. */
  readonly full?: boolean;
}

interface TableProps<T> {
  readonly label: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly rowKey: (row: T) => string;
}

export function Table<T>({ label, columns, rows, rowKey }: TableProps<T>): ReactElement {
  return (
    <table className="table" aria-label={label}>
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column.title} scope="col" className={column.right ? "right" : ""} title={column.help}>
              {column.title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={rowKey(row)}>
            {columns.map((column) => (
              <Cell key={column.title} column={column} content={column.cell(row)} />
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Cell<T>({ column, content }: { column: Column<T>; content: ReactNode }): ReactElement {
  const blank = content === null || content === "";
  const classes = [column.right ? "right" : "", column.full ? "full" : "", blank ? "blank" : ""]
    .filter(Boolean)
    .join(" ");
  return (
    <td className={classes} {...(column.full ? {} : { "data-label": column.title })}>
      {content}
    </td>
  );
}
