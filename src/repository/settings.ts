import { Fields, type FileId, fromHex, toHex, type Value } from '../encoding/index.ts'
import { HoldfastError } from '../errors/index.ts'
import type { PackKind } from './layout.ts'

/** What may change over a repository's life. The file with the highest counter is in force. */
export interface Settings {
  readonly counter: number
  /** The settings file this one takes the place of. */
  readonly previous: FileId | null
  /** zstd level of new blocks, 0 to store them as they are. */
  readonly compressionLevel: number
  /** Size at which a data pack is closed. */
  readonly packTargetBytes: number
}

export const MINIMUM_PACK_TARGET_BYTES: number = 4 * 1024 * 1024
export const MAXIMUM_PACK_TARGET_BYTES: number = 1024 * 1024 * 1024

const MAXIMUM_LEVEL = 19
/** Tree packs are smaller than data packs: they are read often and rewritten often. */
const TREE_PACK_SHARE = 4

export const defaultSettings: Settings = {
  counter: 1,
  previous: null,
  compressionLevel: 3,
  packTargetBytes: 32 * 1024 * 1024,
}

/** Size at which a pack of this kind is closed. */
export function packTargetBytesOf(
  { packTargetBytes }: Pick<Settings, 'packTargetBytes'>,
  kind: PackKind,
): number {
  return kind === 'tree' ? packTargetBytes / TREE_PACK_SHARE : packTargetBytes
}

export function settingsValue(settings: Settings): Value {
  const previous = settings.previous === null ? null : fromHex(settings.previous)
  return [settings.counter, previous, settings.compressionLevel, settings.packTargetBytes]
}

/** @throws HoldfastError USAGE for settings that no client could read back or use */
export function checkSettings(settings: Settings): void {
  const { compressionLevel, packTargetBytes } = settings
  if (!Number.isInteger(compressionLevel) || compressionLevel < 0 || compressionLevel > MAXIMUM_LEVEL) {
    throw new HoldfastError('USAGE', `the compression level cannot be ${compressionLevel}`, {
      hint: `give a whole number from 0 (none) to ${MAXIMUM_LEVEL}`,
    })
  }
  if (
    !Number.isInteger(packTargetBytes) ||
    packTargetBytes < 1 ||
    packTargetBytes > MAXIMUM_PACK_TARGET_BYTES
  ) {
    throw new HoldfastError('USAGE', `packs cannot have a target of ${packTargetBytes} bytes`, {
      hint: 'give a size from 4 MiB to 1 GiB',
    })
  }
}

/** @throws HoldfastError DAMAGED */
export function parseSettings(value: Value): Settings {
  const fields = new Fields(value, 'settings', 4)
  return {
    counter: fields.uint(0),
    previous: fields.isNull(1) ? null : (toHex(fields.exactBytes(1, 32)) as FileId),
    compressionLevel: fields.uint(2, MAXIMUM_LEVEL),
    packTargetBytes: Math.min(Math.max(fields.uint(3), MINIMUM_PACK_TARGET_BYTES), MAXIMUM_PACK_TARGET_BYTES),
  }
}
