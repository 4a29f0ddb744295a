import { tmpdir } from 'node:os'
import { type Command, Option } from 'commander'
import { type Measurement, measurePrimitives, measureRoundTrip } from '../../index.ts'
import type { Context } from '../context.ts'
import { createProgress } from '../progress.ts'
import { formatTable } from '../table.ts'
import { parseSize } from '../values.ts'

interface Options {
  readonly directory?: string
  readonly size: number
}

export function define(command: Command, context: Context): void {
  command
    .option(
      '--directory <folder>',
      'work below this folder, and so on its disk (default: that of temporary files)',
    )
    .addOption(
      new Option('--size <size>', 'about how much data to make')
        .argParser(parseSize)
        .default(256 * 1024 ** 2, '256M'),
    )
    .action(async (options: Options) => await bench(context, options))
}

async function bench(context: Context, { directory = tmpdir(), size }: Options): Promise<void> {
  const { output, signal } = context
  const progress = createProgress(context)
  const onProgress = ({ name }: { readonly name: string }): void =>
    progress.update({ text: () => name, status: () => ({ message_type: 'status', measuring: name }) })
  const options = { directory, sizeBytes: size, onProgress, signal }
  const rows: string[][] = []
  try {
    for (const measure of [measurePrimitives, measureRoundTrip]) {
      for await (const measurement of measure(options)) {
        await output.json({ message_type: 'measurement', ...measurement })
        rows.push(tableRow(measurement))
      }
    }
  } finally {
    progress.end()
  }
  const columns = [
    { title: 'What' },
    { title: 'With' },
    { title: 'Figure', align: 'right' as const },
    { title: '' },
  ]
  for (const line of formatTable(columns, rows)) await output.line(line)
}

function tableRow({ name, detail, value, unit }: Measurement): string[] {
  const digits = value < 100 && unit !== 'files/s' ? (unit === 's' ? 2 : 1) : 0
  return [name, detail, value.toFixed(digits), unit]
}
