import type { Command } from 'commander'
import { createRepository, displayName, HoldfastError, toHex } from '../../index.ts'
import { addCompressionOption, compressionLevelOf } from '../compression-option.ts'
import type { Context } from '../context.ts'
import { findPlace } from '../location.ts'
import { accessOptions } from '../repository-access.ts'
import { readInitialSecret } from '../secret.ts'
import { parseSize } from '../values.ts'

const MIB = 1024 * 1024

interface InitOptions {
  readonly chunkerAvg?: number
  readonly packSize?: number
  readonly compression?: string
}

export function define(command: Command, context: Context): void {
  command
    .option(
      '--chunker-avg <size>',
      'average length of chunks: a power of two from 4K to 1M (default: 16K)',
      parseSize,
    )
    .option('--pack-size <size>', 'size of pack files, 4M to 1G (default: 32M)', parsePackSize)
  addCompressionOption(command, 'how hard backups compress from now on')
  command.action(async (options: InitOptions) => await init(context, options))
}

function parsePackSize(text: string): number {
  const sizeBytes = parseSize(text)
  if (sizeBytes >= 4 * MIB && sizeBytes <= 1024 * MIB) return sizeBytes
  throw new HoldfastError('USAGE', `packs cannot have a target of ${text}`, {
    hint: 'give a size from 4M to 1G',
  })
}

async function init(context: Context, options: InitOptions): Promise<void> {
  const { location, isDefault } = findPlace(context)
  if (isDefault) {
    throw new HoldfastError('USAGE', 'init needs to know where the repository is to be', {
      hint: 'name a place with --repo or HOLDFAST_REPOSITORY',
    })
  }
  const level = compressionLevelOf(options.compression)
  const repository = await createRepository({
    location,
    secret: await readInitialSecret(context),
    ...accessOptions(context),
    ...(options.chunkerAvg === undefined ? {} : { chunkerAverageBytes: options.chunkerAvg }),
    ...(options.packSize === undefined ? {} : { packTargetBytes: options.packSize }),
    ...(level === undefined ? {} : { compressionLevel: level }),
  })
  try {
    const id = toHex(repository.id)
    const { output } = context
    const place = displayName(repository.backend.location)
    await output.json({ message_type: 'initialized', id, repository: place })
    await output.line(`made repository ${id.slice(0, 8)} at ${place}`)
    await output.line(
      'Without the password or key file nothing in it can be read: keep a copy in another place.',
    )
  } finally {
    await repository.close()
  }
}
