import { type Command, Option } from 'commander'

/** zstd levels by what people call them. `auto` is restic's word for the default. */
const levels: Readonly<Record<string, number>> = {
  off: 0,
  fastest: 1,
  default: 3,
  auto: 3,
  better: 9,
  max: 19,
}

export function addCompressionOption(command: Command, description: string): void {
  command.addOption(new Option('--compression <mode>', description).choices(Object.keys(levels)))
}

/** The level of a mode; undefined leaves the choice to the repository. */
export function compressionLevelOf(mode: string | undefined): number | undefined {
  return mode === undefined ? undefined : levels[mode]
}
