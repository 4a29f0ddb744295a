export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
}

const GAP = '  '

/** Lines of an aligned table: titles, a rule, rows. A cell may hold several lines. No space at line ends. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const titles = columns.map((column) => column.title)
  const widths = columns.map((_, at) =>
    Math.max(...[titles, ...rows].flatMap((row) => (row[at] ?? '').split('\n').map(widthOf))),
  )
  const line = (cells: readonly string[]): string =>
    columns
      .map(({ align }, at) => pad(cells[at] ?? '', widths[at]!, align ?? 'left'))
      .join(GAP)
      .trimEnd()
  const rule = '-'.repeat(widths.reduce((sum, width) => sum + width + GAP.length, -GAP.length))
  return [line(titles), rule, ...rows.flatMap((row) => splitRow(row).map(line))]
}

/** A row of cells with several lines as so many rows. */
function splitRow(row: readonly string[]): string[][] {
  const cells = row.map((cell) => cell.split('\n'))
  const height = Math.max(...cells.map((lines) => lines.length))
  return Array.from({ length: height }, (_, at) => cells.map((lines) => lines[at] ?? ''))
}

function pad(cell: string, width: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(Math.max(width - widthOf(cell), 0))
  return align === 'left' ? cell + space : space + cell
}

function widthOf(text: string): number {
  return [...text].length
}
