import type { Output } from './output.ts'

const BATCH_UNITS = 32 * 1024

/** Collects the text of many small results and prints it in large pieces, whatever the form of output. */
export interface TextBatch {
  /** Wait for what is returned: nobody may read as fast as it is written. */
  add(text: string): Promise<void> | undefined
  /** Print what is left. */
  flush(): Promise<void>
}

export function createTextBatch(output: Output): TextBatch {
  let text = ''
  const flush = async (): Promise<void> => {
    if (text === '') return
    const piece = text
    text = ''
    await output.bytes(piece)
  }
  return {
    add(more) {
      text += more
      return text.length < BATCH_UNITS ? undefined : flush()
    },
    flush,
  }
}
