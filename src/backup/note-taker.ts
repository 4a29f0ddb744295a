import { displayName, type RawName } from '../encoding/index.ts'
import type { BackupItem } from './options.ts'
import { createNotes, type Notes } from './scan-task.ts'

/** Takes down what is to be told of the task under way. */
export class NoteTaker {
  notes: Notes = createNotes()
  private readonly onItem: ((item: BackupItem) => void) | undefined

  /** @param onItem told of each file and folder at once; undefined when nobody is */
  constructor(wantsItems: boolean, onItem: ((item: BackupItem) => void) | undefined) {
    if (wantsItems) this.onItem = onItem ?? ((item) => this.notes.items.push(item))
  }

  /** What was taken down since the last time. */
  take(): Notes {
    const { notes } = this
    this.notes = createNotes()
    return notes
  }

  countFile(path: RawName, action: 'new' | 'modified' | 'unchanged', sizeBytes: number): void {
    const { notes } = this
    notes.files[action]++
    notes.bytes += sizeBytes
    notes.lastPath = path
    this.onItem?.({ path, action, sizeBytes })
  }

  countDirectory(path: RawName, action: 'new' | 'modified' | 'unchanged'): void {
    this.notes.directories[action]++
    this.onItem?.({ path, action, sizeBytes: 0 })
  }

  excluded(path: RawName, sizeBytes: number): void {
    this.onItem?.({ path, action: 'excluded', sizeBytes })
  }

  ownPlace(path: RawName): void {
    this.notes.ownPlacesLeftOut.push(path)
  }

  warn(path: RawName, message: string): void {
    this.notes.warnings.push({ path, message, during: 'read' })
  }

  fail(path: RawName, error: unknown, during: 'scan' | 'read'): void {
    const message = error instanceof Error ? error.message : displayName(String(error))
    this.notes.errors.push({ path, message, during })
  }
}
