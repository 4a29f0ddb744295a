import { Fields, type FileId, fromHex, toHex, type Value } from '../encoding/index.ts'

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

export const defaultSettings: Settings = {
  counter: 1,
  previous: null,
  compressionLevel: 3,
  packTargetBytes: 32 * 1024 * 1024,
}

export function settingsValue(settings: Settings): Value {
  const previous = settings.previous === null ? null : fromHex(settings.previous)
  return [settings.counter, previous, settings.compressionLevel, settings.packTargetBytes]
}

/** @throws HoldfastError DAMAGED */
export function parseSettings(value: Value): Settings {
  const fields = new Fields(value, 'settings', 4)
  return {
    counter: fields.uint(0),
    previous: fields.isNull(1) ? null : (toHex(fields.exactBytes(1, 32)) as FileId),
    compressionLevel: fields.uint(2, 19),
    packTargetBytes: Math.min(Math.max(fields.uint(3), MINIMUM_PACK_TARGET_BYTES), MAXIMUM_PACK_TARGET_BYTES),
  }
}
